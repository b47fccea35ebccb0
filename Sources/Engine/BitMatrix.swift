/// A square of 64 times 64 bits.
enum BitMatrix {
    /// Turns rows into columns: bit r of word c is what bit c of word r was.
    ///
    /// Complexity: O(1): some hundred instructions, of a single row 64 short steps.
    ///
    /// - Parameters:
    ///   - words: 64 of them.
    ///   - rows: How many words hold anything; those behind may hold whatever.
    static func transpose(_ words: UnsafeMutablePointer<UInt64>, rows: Int) {
        if rows == 1 {
            let row = words[0]
            for column in 0..<64 { words[column] = row >> UInt64(column) & 1 }
            return
        }
        for row in rows..<64 { words[row] = 0 }
        // Halves change places, then halves of halves.
        exchange(words, 32, 0x0000_0000_ffff_ffff)
        exchange(words, 16, 0x0000_ffff_0000_ffff)
        exchange(words, 8, 0x00ff_00ff_00ff_00ff)
        exchange(words, 4, 0x0f0f_0f0f_0f0f_0f0f)
        exchange(words, 2, 0x3333_3333_3333_3333)
        exchange(words, 1, 0x5555_5555_5555_5555)
    }

    @inline(__always)
    private static func exchange(
        _ words: UnsafeMutablePointer<UInt64>,
        _ distance: Int,
        _ mask: UInt64
    ) {
        var start = 0
        while start < 64 {
            for row in start..<(start + distance) {
                let other = (words[row] >> UInt64(distance) ^ words[row + distance]) & mask
                words[row] ^= other << UInt64(distance)
                words[row + distance] ^= other
            }
            start += 2 * distance
        }
    }
}
