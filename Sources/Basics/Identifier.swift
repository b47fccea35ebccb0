/// The rule of the ids of cohorts, destinations and syncs: `[a-z0-9][a-z0-9_-]{0,63}`.
public enum Identifier {
    /// The rule in words.
    public static let grammar = "1 to 64 of a-z 0-9 _ -, the first a letter or digit"

    /// Whether a text is such an id.
    public static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...64).contains(bytes.count) else { return false }
        return bytes.enumerated().allSatisfy { index, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "_"), UInt8(ascii: "-"): index > 0
            default: false
            }
        }
    }
}
