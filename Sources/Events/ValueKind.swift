public import Basics

/// The tag byte of an encoded value.
///
/// An encoded value is how a property's value travels from the decoder through the engine into snapshots:
/// ```
/// null false true    tag
/// integer            tag, 8 bytes little-endian two's complement
/// double             tag, 8 bytes little-endian IEEE 754 (finite; never −0, never a value an Int64 literal wrote)
/// text               tag, u32 byte count, UTF-8
/// array              tag, u32 byte count of what follows it, u32 element count, elements
/// object             tag, u32 byte count of what follows it, u32 member count, members: u32 key byte count,
///                    key, value; in the order of the document, keys unique
/// ```
public enum ValueKind: UInt8, Sendable {  // stored: do not renumber
    case null = 0
    case no = 1
    case yes = 2
    case integer = 3
    case double = 4
    case text = 5
    case array = 6
    case object = 7
}

/// A borrowed encoded value, or nothing at all (``missing``: no bytes).
public struct ValueView: @unchecked Sendable {
    /// The encoded bytes, tag first; empty where the value is missing.
    public let bytes: ByteView

    /// A view of exactly one encoded value, or of no bytes.
    public init(_ bytes: ByteView) {
        self.bytes = bytes
    }

    /// The property is not there.
    public static var missing: ValueView { ValueView(.empty) }

    /// Whether the property is not there.
    ///
    /// Null is there, and counts as missing in the language.
    public var isMissing: Bool { bytes.count == 0 }

    /// What it is; nil where missing.
    public var kind: ValueKind? {
        bytes.count == 0 ? nil : ValueKind(rawValue: bytes.base[0])
    }

    /// Whether it is missing or null, which the language treats alike.
    public var isMissingOrNull: Bool {
        bytes.count == 0 || bytes.base[0] == ValueKind.null.rawValue
    }
}
