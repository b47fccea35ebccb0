#if canImport(Glibc)
public import Glibc
#endif

/// Borrowed bytes: valid only as long as the buffer they point into, and never freed by the holder.
///
/// The hot path passes ids, names and texts in this form, so that no `String` is made per event. Texts are
/// UTF-8 and compared byte by byte; nothing is normalised.
public struct ByteView: @unchecked Sendable {
    /// The bytes; empty views may have any base.
    public let base: UnsafePointer<UInt8>
    /// How many bytes.
    public let count: Int

    /// A view of `count` bytes from `base`.
    @inlinable @inline(__always)
    public init(base: UnsafePointer<UInt8>, count: Int) {
        self.base = base
        self.count = count
    }

    /// A view of the whole buffer.
    @inlinable @inline(__always)
    public init(_ buffer: UnsafeRawBufferPointer) {
        if let start = buffer.baseAddress {
            base = start.assumingMemoryBound(to: UInt8.self)
            count = buffer.count
        } else {
            self = .empty
        }
    }

    /// No bytes.
    @inlinable @inline(__always)
    public static var empty: ByteView {
        ByteView(base: ("" as StaticString).utf8Start, count: 0)
    }

    /// Whether there are no bytes.
    @inlinable @inline(__always)
    public var isEmpty: Bool { count == 0 }

    /// The bytes as a buffer.
    @inlinable @inline(__always)
    public var buffer: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: count)
    }

    /// One byte; `index` must be in 0..<count.
    @inlinable @inline(__always)
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "byte \(index) of \(count)")
        return base[index]
    }

    /// Whether both hold the same bytes.
    @inlinable @inline(__always)
    public func equals(_ other: ByteView) -> Bool {
        count == other.count && equals(bytesAt: other.base)
    }

    /// Whether the bytes are those of `text`.
    @inlinable public func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && equals(bytesAt: text.utf8Start)
    }

    /// Whether as many bytes elsewhere are the same.
    ///
    /// Few bytes are compared by words that overlap: `memcmp` reads a whole vector of each, and waits for the far line
    /// behind the bytes where it reaches into it.
    @inlinable
    func equals(bytesAt other: UnsafePointer<UInt8>) -> Bool {
        let (left, right) = (UnsafeRawPointer(base), UnsafeRawPointer(other))
        switch count {
        case 0: return true
        case 1...3:
            return base[0] == other[0] && base[count / 2] == other[count / 2]
                && base[count - 1] == other[count - 1]
        case 4...7: return Self.differing(left, right, count, UInt32.self) == 0
        case 8...16: return Self.differing(left, right, count, UInt64.self) == 0
        default: return memcmp(left, right, count) == 0
        }
    }

    /// The bits in which the first word or the last differ, of one to two words.
    @inlinable @inline(__always)
    static func differing<Word: FixedWidthInteger & BitwiseCopyable>(
        _ left: UnsafeRawPointer,
        _ right: UnsafeRawPointer,
        _ count: Int,
        _ type: Word.Type
    ) -> Word {
        let last = count - MemoryLayout<Word>.size
        let first = left.loadUnaligned(as: Word.self) ^ right.loadUnaligned(as: Word.self)
        return first
            | (left.loadUnaligned(fromByteOffset: last, as: Word.self)
                ^ right.loadUnaligned(fromByteOffset: last, as: Word.self))
    }

    /// Whether these bytes sort before the other's, byte by byte; a prefix sorts first.
    @inlinable public func precedes(_ other: ByteView) -> Bool {
        let order = memcmp(base, other.base, min(count, other.count))
        return order != 0 ? order < 0 : count < other.count
    }

    /// Whether there is nothing but spaces, tabs, CR and LF.
    @inlinable public var isWhiteSpace: Bool {
        for index in 0..<count {
            switch base[index] {
            case 0x20, 0x09, 0x0a, 0x0d: continue
            default: return false
            }
        }
        return true
    }

    /// A copy as text.
    ///
    /// For messages and the shell; not for the hot path.
    public var string: String { String(decoding: buffer, as: UTF8.self) }

    /// A copy as bytes.
    public var array: [UInt8] { Array(buffer) }
}

extension Array where Element == UInt8 {
    /// Lends the bytes for the length of the call.
    public func withByteView<Result, Failure: Error>(
        _ body: (ByteView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try span.withUnsafeBytes { (buffer: UnsafeRawBufferPointer) throws(Failure) -> Result in
            try body(ByteView(buffer))
        }
    }
}

extension String {
    /// Lends the UTF-8 bytes for the length of the call.
    public func withByteView<Result, Failure: Error>(
        _ body: (ByteView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Array(utf8).withByteView(body)
    }

    /// Whether this text sorts before `other` by the bytes of its UTF-8, the order of every list we show.
    public func precedesByBytes(_ other: String) -> Bool {
        utf8.lexicographicallyPrecedes(other.utf8)
    }
}
