/// Percent-encoding of RFC 3986 and of HTML forms.
public enum PercentEncoding {
    /// Whether a byte stands for itself everywhere in a URL.
    public static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }

    /// A text as one segment of a path: `/`, `?` and the like lose their meaning.
    ///
    /// The segments `.` and `..` cannot be written in a URL at all; their dots are encoded, so that at least
    /// no client shortens the path.
    public static func segment(_ text: String) -> String {
        if text == "." || text == ".." {
            return text.utf8.map { _ in "%2E" }.joined()
        }
        var bytes: [UInt8] = []
        append(text.utf8, to: &bytes, spaceAsPlus: false)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A text as a name or value of a query or form.
    public static func append(
        _ text: some Sequence<UInt8>,
        to bytes: inout [UInt8],
        spaceAsPlus: Bool
    ) {
        for byte in text {
            if isUnreserved(byte) {
                bytes.append(byte)
            } else if spaceAsPlus, byte == 0x20 {
                bytes.append(UInt8(ascii: "+"))
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(upperHexDigit(byte >> 4))
                bytes.append(upperHexDigit(byte & 15))
            }
        }
    }

    private static func upperHexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
