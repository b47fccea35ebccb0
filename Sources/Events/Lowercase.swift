import Basics

/// Texts as the operators that ignore case see them.
///
/// Each scalar is mapped to its Unicode lowercase where that is one scalar. Nothing is normalised, and no
/// neighbour is looked at (a final Σ becomes σ).
enum Lowercase {
    /// A lowercase text is at most half as long again (U+023A: two bytes, its lowercase three).
    static func countMax(_ count: Int) -> Int {
        count + count / 2
    }

    /// Lends the lowercase of a text for the length of the call.
    ///
    /// Complexity: O(bytes); on the stack up to 1 KiB, and quick where the text is ASCII.
    static func withBytes<Result>(of text: ByteView, _ body: (ByteView) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: countMax(text.count) + 1, alignment: 1) { buffer in
            guard let base = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
                return body(.empty)
            }
            return body(ByteView(base: base, count: write(text, to: base)))
        }
    }

    /// The lowercase of a text as bytes.
    static func bytes(of text: ByteView) -> [UInt8] {
        withBytes(of: text) { $0.array }
    }

    private static func write(_ text: ByteView, to base: UnsafeMutablePointer<UInt8>) -> Int {
        var count = 0
        var position = 0
        while position < text.count {
            let byte = text.base[position]
            if byte < 0x80 {
                base[count] = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
                count += 1
                position += 1
            } else {
                count = appendScalar(of: text, &position, to: base, count)
            }
        }
        return count
    }

    private static func appendScalar(
        of text: ByteView,
        _ position: inout Int,
        to base: UnsafeMutablePointer<UInt8>,
        _ count: Int
    ) -> Int {
        var count = count
        let size = UTF8Scalars.size(text.base[position])
        // Texts are UTF-8 by their making; what is not is passed on byte by byte.
        guard position + size <= text.count,
            let scalar = UTF8Scalars.scalar(text.base + position, size)
        else {
            base[count] = text.base[position]
            position += 1
            return count + 1
        }
        position += size
        let mapping = scalar.properties.lowercaseMapping.unicodeScalars
        let mapped = mapping.first.flatMap { mapping.count == 1 ? $0 : nil } ?? scalar
        for byte in UTF8.encode(mapped) ?? UTF8.encodedReplacementCharacter {
            base[count] = byte
            count += 1
        }
        return count
    }
}
