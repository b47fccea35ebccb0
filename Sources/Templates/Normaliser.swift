import Basics

/// A step on the way from a property's text to what a partner knows the user by; a closed list.
enum Normaliser: String, CaseIterable, Sendable {
    /// Cuts white space at both ends.
    case trim
    case lower
    case upper
    /// Unicode's compatibility decomposition.
    case nfkd
    /// Drops all white space.
    case stripSpaces = "strip_spaces"
    /// Keeps 0 to 9.
    case digits
    case stripLeadingZeros = "strip_leading_zeros"
    /// Drops punctuation, of ASCII also the symbols.
    case stripPunctuation = "strip_punct"
    /// Keeps letters and the marks on them.
    case lettersOnly = "letters_only"
    /// Keeps the first character.
    case firstCharacter = "first_char"
    /// One digit becomes two.
    case padToTwo = "pad2"
    /// The name of a state of the USA becomes its two letters, in lower case.
    case state = "us_state"
    /// A ZIP code of the USA becomes its first five digits; others lose their dashes.
    case zip5
    /// A name of `[A-Za-z0-9_-]`, at most 100 bytes.
    case slug100

    /// Changes a text in place.
    ///
    /// - Complexity: O(bytes); allocates only for what is not ASCII.
    func apply(to text: inout [UInt8], decompose: CompatibilityDecomposition) {
        let isASCII = text.allSatisfy { $0 < 0x80 }
        switch self {
        case .trim: Self.trim(&text, isASCII: isASCII)
        case .lower:
            if isASCII {
                for index in text.indices where text[index] &- 0x41 < 26 { text[index] |= 0x20 }
            } else {
                Self.mapScalars(&text) { $0.properties.lowercaseMapping }
            }
        case .upper:
            if isASCII {
                for index in text.indices where text[index] &- 0x61 < 26 { text[index] &= 0xdf }
            } else {
                Self.mapScalars(&text) { $0.properties.uppercaseMapping }
            }
        case .nfkd:
            if isASCII { return }
            let whole = String(decoding: text, as: UTF8.self)
            text.removeAll(keepingCapacity: true)
            decompose(whole, &text)
        case .stripSpaces:
            if isASCII {
                text.removeAll(where: Self.isSpace)
            } else {
                Self.keepScalars(&text) { !$0.properties.isWhitespace }
            }
        case .digits: text.removeAll { $0 &- 0x30 >= 10 }
        case .stripLeadingZeros: text.removeFirst(text.prefix { $0 == 0x30 }.count)
        case .stripPunctuation:
            if isASCII {
                text.removeAll(where: Self.isPunctuation)
            } else {
                Self.keepScalars(&text, Self.isNoPunctuation)
            }
        case .lettersOnly: Self.keepScalars(&text, Self.isLetter)
        case .firstCharacter:
            let character = String(decoding: text, as: UTF8.self).first
            text.removeAll(keepingCapacity: true)
            if let character { text.append(contentsOf: character.utf8) }
        case .padToTwo:
            if text.count == 1, text[0] &- 0x30 < 10 { text.insert(0x30, at: 0) }
        case .state: States.shorten(&text)
        case .zip5: Self.cutZIP(&text)
        case .slug100:
            if !isASCII { Normaliser.nfkd.apply(to: &text, decompose: decompose) }
            text = Slug.slug(text)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0d).contains(byte)
    }

    private static func isPunctuation(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e: true
        default: false
        }
    }

    private static func isNoPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return !isPunctuation(UInt8(scalar.value)) }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation:
            return false
        default: return true
        }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark:
            true
        default: false
        }
    }

    private static func trim(_ text: inout [UInt8], isASCII: Bool) {
        if isASCII {
            while let last = text.last, isSpace(last) { text.removeLast() }
            let start = text.prefix(while: isSpace).count
            if start > 0 { text.removeFirst(start) }
            return
        }
        var scalars = String(decoding: text, as: UTF8.self).unicodeScalars[...]
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        text = Array(String(scalars).utf8)
    }

    private static func mapScalars(_ text: inout [UInt8], _ map: (Unicode.Scalar) -> String) {
        let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
        text.removeAll(keepingCapacity: true)
        for scalar in scalars { text.append(contentsOf: map(scalar).utf8) }
    }

    private static func keepScalars(_ text: inout [UInt8], _ keep: (Unicode.Scalar) -> Bool) {
        let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
        text.removeAll(keepingCapacity: true)
        for scalar in scalars where keep(scalar) {
            UTF8.encode(scalar).map { text.append(contentsOf: $0) }
        }
    }

    /// `12345-6789` and `123456789` become `12345`; `SW1A-1AA` becomes `SW1A1AA`.
    private static func cutZIP(_ text: inout [UInt8]) {
        text.removeAll { $0 == UInt8(ascii: "-") }
        if text.count == 9, text.allSatisfy({ $0 &- 0x30 < 10 }) { text.removeLast(4) }
    }
}

/// The states of the USA, the federal district and the territories with codes of their own.
private enum States {
    static func shorten(_ text: inout [UInt8]) {
        let name = String(decoding: text, as: UTF8.self).lowercased().filter {
            $0.isLetter
        }
        guard let code = codes[name] else { return }
        text.removeAll(keepingCapacity: true)
        text.append(contentsOf: code.utf8)
    }

    private static let codes: [String: String] = [
        "alabama": "al", "alaska": "ak", "arizona": "az", "arkansas": "ar", "california": "ca",
        "colorado": "co", "connecticut": "ct", "delaware": "de", "districtofcolumbia": "dc",
        "florida": "fl", "georgia": "ga", "hawaii": "hi", "idaho": "id", "illinois": "il",
        "indiana": "in", "iowa": "ia", "kansas": "ks", "kentucky": "ky", "louisiana": "la",
        "maine": "me", "maryland": "md", "massachusetts": "ma", "michigan": "mi",
        "minnesota": "mn", "mississippi": "ms", "missouri": "mo", "montana": "mt",
        "nebraska": "ne", "nevada": "nv", "newhampshire": "nh", "newjersey": "nj",
        "newmexico": "nm", "newyork": "ny", "northcarolina": "nc", "northdakota": "nd",
        "ohio": "oh", "oklahoma": "ok", "oregon": "or", "pennsylvania": "pa",
        "rhodeisland": "ri", "southcarolina": "sc", "southdakota": "sd", "tennessee": "tn",
        "texas": "tx", "utah": "ut", "vermont": "vt", "virginia": "va", "washington": "wa",
        "westvirginia": "wv", "wisconsin": "wi", "wyoming": "wy", "americansamoa": "as",
        "guam": "gu", "northernmarianaislands": "mp", "puertorico": "pr",
        "virginislands": "vi",
    ]
}
