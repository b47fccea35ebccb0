import Basics
import Foundation
import Testing

@testable import Traffic

@Suite("Zipf's law")
struct ZipfSamplerTests {
    private static let draws = 200_000

    private func counts(_ ranks: Int, _ exponent: Double, seed: UInt64 = 1) -> [Int] {
        let sampler = ZipfSampler(count: ranks, exponent: exponent)
        var generator = SeededGenerator(seed: seed)
        var counts = [Int](repeating: 0, count: ranks + 1)
        for _ in 0..<Self.draws { counts[sampler.next(&generator)] += 1 }
        return counts
    }

    @Test("every rank is drawn as often as 1/kˢ says", arguments: [0, 0.5, 0.99, 1, 1.5, 3])
    func law(_ exponent: Double) {
        let ranks = 50
        let counts = counts(ranks, exponent)
        #expect(counts[0] == 0)
        let weights = (1...ranks).map { pow(Double($0), -exponent) }
        let sum = weights.reduce(0, +)
        for rank in 1...ranks {
            let share = weights[rank - 1] / sum
            let expected = share * Double(Self.draws)
            let deviation = (expected * (1 - share)).squareRoot()
            // Five standard deviations, and a few draws where next to none are expected.
            #expect(
                abs(Double(counts[rank]) - expected) <= 5 * deviation + 3,
                "rank \(rank): \(counts[rank]) of \(expected)"
            )
        }
    }

    @Test("a billion ranks take no table, and stay within their bounds", arguments: [0, 1, 2.5])
    func many(_ exponent: Double) {
        let sampler = ZipfSampler(count: 1_000_000_000, exponent: exponent)
        var generator = SeededGenerator(seed: 7)
        var most = 0
        for _ in 0..<10_000 {
            let rank = sampler.next(&generator)
            #expect((1...1_000_000_000).contains(rank))
            most = max(most, rank)
        }
        #expect(exponent > 1 || most > 100_000_000)
    }

    @Test("one rank is always drawn", arguments: [0, 1, 10])
    func one(_ exponent: Double) {
        let sampler = ZipfSampler(count: 1, exponent: exponent)
        var generator = SeededGenerator(seed: 3)
        #expect((0..<100).allSatisfy { _ in sampler.next(&generator) == 1 })
    }
}
