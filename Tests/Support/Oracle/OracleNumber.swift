/// A number as the language sees it: an integer of 64 bits exactly, any other one as the nearest double.
enum OracleNumber {
    case exact(Int64)
    case nearest(Double)

    /// From a literal of JSON; nil where it is beyond a double.
    init?(literal: String) {
        if let integer = Int64(literal) {
            self = .exact(integer)
        } else {
            guard let double = Double(literal), double.isFinite else { return nil }
            self = .nearest(double)
        }
    }

    /// From a text that, trimmed of U+0020, follows the grammar of JSON's numbers.
    init?(text: String) {
        var scalars = Array(text.unicodeScalars)
        while scalars.first == " " { scalars.removeFirst() }
        while scalars.last == " " { scalars.removeLast() }
        guard Self.isJSON(scalars) else { return nil }
        self.init(literal: String(String.UnicodeScalarView(scalars)))
    }

    private static func isJSON(_ scalars: [Unicode.Scalar]) -> Bool {
        var rest = scalars[...]
        func digits() -> [Unicode.Scalar] {
            let run = Array(rest.prefix { $0 >= "0" && $0 <= "9" })
            rest = rest.dropFirst(run.count)
            return run
        }
        if rest.first == "-" { rest = rest.dropFirst() }
        let whole = digits()
        if whole.isEmpty || (whole.count > 1 && whole[0] == "0") { return false }
        if rest.first == "." {
            rest = rest.dropFirst()
            if digits().isEmpty { return false }
        }
        if rest.first == "e" || rest.first == "E" {
            rest = rest.dropFirst()
            if rest.first == "+" || rest.first == "-" { rest = rest.dropFirst() }
            if digits().isEmpty { return false }
        }
        return rest.isEmpty
    }

    /// The shortest decimal text that reads back, without an exponent and without trailing zeros.
    var canonical: String {
        switch self {
        case .exact(let integer): return String(integer)
        case .nearest(let double):
            if double == 0 { return "0" }
            var parts = double.magnitude.description.split(separator: "e")
            let exponent = parts.count > 1 ? Int(parts.removeLast()) ?? 0 : 0
            let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
            var digits = Array(mantissa.joined())
            var point = mantissa[0].count + exponent
            while point <= 0 {
                digits.insert("0", at: 0)
                point += 1
            }
            while digits.count < point { digits.append("0") }
            var fraction = digits[point...]
            while fraction.last == "0" { fraction = fraction.dropLast() }
            var whole = digits[..<point]
            while whole.count > 1, whole.first == "0" { whole = whole.dropFirst() }
            return (double < 0 ? "-" : "") + String(whole)
                + (fraction.isEmpty ? "" : "." + String(fraction))
        }
    }

    /// The integer nearest, half-even, to the double product of it and a million, of an integer exactly that;
    /// cut to what is beyond every sum.
    var millionths: Int128 {
        switch self {
        case .exact(let integer): Int128(integer) * 1_000_000
        case .nearest(let double):
            Int128(max(-1e30, min(1e30, (double * 1_000_000).rounded(.toNearestOrEven))))
        }
    }

    /// Whether it is beyond ±10¹⁵.
    var isBeyondSums: Bool {
        switch self {
        case .exact(let integer): abs(Int128(integer)) > 1_000_000_000_000_000
        case .nearest(let double): abs(double) > 1e15
        }
    }

    /// The double next to it.
    var double: Double {
        switch self {
        case .exact(let integer): Double(integer)
        case .nearest(let double): double
        }
    }

    /// Negative, zero or positive as this is less than, equal to or greater than the other; exact.
    func order(to other: OracleNumber) -> Int {
        switch (self, other) {
        case (.exact(let left), .exact(let right)): left < right ? -1 : left > right ? 1 : 0
        case (.nearest(let left), .nearest(let right)): left < right ? -1 : left > right ? 1 : 0
        case (.exact(let left), .nearest(let right)): Self.order(left, right)
        case (.nearest(let left), .exact(let right)): -Self.order(right, left)
        }
    }

    private static func order(_ integer: Int64, _ double: Double) -> Int {
        if double >= 0x1p63 { return -1 }
        if double < -0x1p63 { return 1 }
        let floor = double.rounded(.down)
        let whole = Int64(floor)
        if integer != whole { return integer < whole ? -1 : 1 }
        return double > floor ? -1 : 0
    }
}
