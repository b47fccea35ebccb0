/// SHA-256 of FIPS 180-4: the hashes in files of expected answers.
///
/// Slow and short; for tests only.
package enum SHA256 {
    /// The hash as 64 hexadecimal digits.
    package static func hexDigits(_ message: [UInt8]) -> String {
        var state: [UInt32] = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ]
        var padded = message + [0x80]
        while padded.count % 64 != 56 { padded.append(0) }
        for shift in stride(from: 56, through: 0, by: -8) {
            padded.append(UInt8(truncatingIfNeeded: (message.count * 8) >> shift))
        }
        var words = [UInt32](repeating: 0, count: 64)
        padded.withUnsafeBufferPointer { bytes in
            for block in stride(from: 0, to: bytes.count, by: 64) {
                for index in 0..<16 {
                    let at = block + 4 * index
                    words[index] =
                        UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16
                        | UInt32(bytes[at + 2]) << 8 | UInt32(bytes[at + 3])
                }
                compress(&state, &words)
            }
        }
        let digits = Array("0123456789abcdef")
        return String(
            state.flatMap { word in
                stride(from: 28, through: 0, by: -4).map { digits[Int(word >> UInt32($0)) & 15] }
            }
        )
    }

    private static func compress(_ state: inout [UInt32], _ words: inout [UInt32]) {
        func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
            word >> count | word << (32 - count)
        }
        for index in 16..<64 {
            let low = words[index - 15]
            let high = words[index - 2]
            words[index] =
                words[index - 16] &+ (rotated(low, 7) ^ rotated(low, 18) ^ low >> 3)
                &+ words[index - 7]
                &+ (rotated(high, 17) ^ rotated(high, 19) ^ high >> 10)
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for index in 0..<64 {
            let first =
                h &+ (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) &+ ((e & f) ^ (~e & g))
                &+ constants[index] &+ words[index]
            let second =
                (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ ((a & b) ^ (a & c) ^ (b & c))
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
        }
        for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= word }
    }

    private static let constants: [UInt32] = {
        // The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
        var primes: [UInt64] = []
        var candidate: UInt64 = 2
        while primes.count < 64 {
            if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes.map { prime in
            // The largest root with root³ ≤ prime · 2⁹⁶, found bit by bit in halves of 128 bits.
            var root: UInt64 = 0
            for bit in stride(from: UInt64(34), through: 0, by: -1) {
                let trial = root | 1 << bit
                let square = trial.multipliedFullWidth(by: trial)
                let low = square.low.multipliedFullWidth(by: trial)
                let (middle, carry) = low.high.addingReportingOverflow(square.high &* trial)
                let high = UInt64(carry ? 1 : 0)
                if high == 0, middle < prime << 32 || (middle == prime << 32 && low.low == 0) {
                    root = trial
                }
            }
            return UInt32(truncatingIfNeeded: root)
        }
    }()
}
