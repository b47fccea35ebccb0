public import Basics

// Reading encoded values. The bytes come from the decoder or from checked storage, so their counts are
// trusted; a value is read without copies and without allocation.

extension ValueView {
    /// The integer, where it is one.
    public var integer: Int64? {
        guard kind == .integer else { return nil }
        return Int64(bitPattern: word(at: 1))
    }

    /// The double, where it is one.
    public var double: Double? {
        guard kind == .double else { return nil }
        return Double(bitPattern: word(at: 1))
    }

    /// The boolean, where it is one.
    public var boolean: Bool? {
        switch kind {
        case .no: false
        case .yes: true
        default: nil
        }
    }

    /// The bytes of the text, where it is one.
    public var text: ByteView? {
        guard kind == .text else { return nil }
        return ByteView(base: bytes.base + 5, count: count32(at: 1))
    }

    /// Whether it is a text, a number or a boolean.
    public var isScalar: Bool {
        switch kind {
        case .no, .yes, .integer, .double, .text: true
        default: false
        }
    }

    /// The elements of an array in their order; none of anything else.
    public var elements: ValueElements {
        guard kind == .array else { return ValueElements(base: bytes.base, count: 0) }
        return ValueElements(base: bytes.base + 9, count: count32(at: 5))
    }

    /// The member of that name, where this is an object that has one; else missing.
    ///
    /// Complexity: O(members).
    public func member(_ name: ByteView) -> ValueView {
        for member in members where member.name.equals(name) { return member.value }
        return .missing
    }

    /// The members of an object in their order; none of anything else.
    public var members: ValueMembers {
        guard kind == .object else { return ValueMembers(base: bytes.base, count: 0) }
        return ValueMembers(base: bytes.base + 9, count: count32(at: 5))
    }

    /// How many bytes the encoded value at `base` takes, its tag included.
    public static func size(at base: UnsafePointer<UInt8>) -> Int {
        switch ValueKind(rawValue: base[0]) {
        case .null, .no, .yes: return 1
        case .integer, .double: return 9
        case .text, .array, .object: return 5 + count32(base + 1)
        case nil: preconditionFailure("no value has the tag \(base[0])")
        }
    }

    private func count32(at offset: Int) -> Int {
        Self.count32(bytes.base + offset)
    }

    fileprivate static func count32(_ base: UnsafePointer<UInt8>) -> Int {
        Int(UInt32(littleEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt32.self)))
    }

    private func word(at offset: Int) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(bytes.base + offset).loadUnaligned(as: UInt64.self))
    }
}

/// The elements of an encoded array, lent as long as the array is.
public struct ValueElements: Sequence, IteratorProtocol {
    private var position: UnsafePointer<UInt8>
    private var remaining: Int

    /// `count` encoded values, one behind the other.
    init(base: UnsafePointer<UInt8>, count: Int) {
        position = base
        remaining = count
    }

    /// The next element; nil behind the last.
    public mutating func next() -> ValueView? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        let element = ValueView(ByteView(base: position, count: ValueView.size(at: position)))
        position += element.bytes.count
        return element
    }
}

/// The members of an encoded object, lent as long as the object is.
public struct ValueMembers: Sequence, IteratorProtocol {
    private var position: UnsafePointer<UInt8>
    private var remaining: Int

    /// `count` names and encoded values, one behind the other.
    init(base: UnsafePointer<UInt8>, count: Int) {
        position = base
        remaining = count
    }

    /// The next member; nil behind the last.
    public mutating func next() -> (name: ByteView, value: ValueView)? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        let name = ByteView(base: position + 4, count: ValueView.count32(position))
        position += 4 + name.count
        let value = ValueView(ByteView(base: position, count: ValueView.size(at: position)))
        position += value.bytes.count
        return (name, value)
    }
}
