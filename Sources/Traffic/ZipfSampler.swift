package import Basics
import Glibc

/// Draws ranks 1…n, rank k in proportion to 1/kˢ: a few are drawn all the time, most hardly ever.
///
/// Constant time and memory for any n, by rejection and inversion.
///
/// Source: W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete
/// distributions", ACM TOMACS 6(3), 1996; names of the functions as in Apache Commons RNG.
package struct ZipfSampler: Sendable {
    private let count: Int
    private let exponent: Double
    private let integralFirst: Double
    private let integralLast: Double
    private let shortcut: Double

    /// A sampler of `count` ranks, at least one.
    ///
    /// - Parameters:
    ///   - count: How many ranks there are.
    ///   - exponent: 0 draws all ranks alike; 1 is Zipf's law; 10 at most.
    package init(count: Int, exponent: Double) {
        precondition(count > 0, "\(count) ranks")
        precondition((0...10).contains(exponent), "exponent \(exponent)")
        self.count = count
        self.exponent = exponent
        integralFirst = Self.integral(1.5, exponent) - 1
        integralLast = Self.integral(Double(count) + 0.5, exponent)
        shortcut =
            2
            - Self.inverse(
                Self.integral(2.5, exponent) - Self.density(2, exponent),
                exponent
            )
    }

    /// The next rank, 1…count.
    package func next(_ generator: inout SeededGenerator) -> Int {
        if exponent == 0 { return 1 + generator.below(count) }
        while true {
            let share = Double(generator.next() >> 11) * 0x1p-53
            let area = integralLast + share * (integralFirst - integralLast)
            let place = Self.inverse(area, exponent)
            let rank = min(max((place + 0.5).rounded(.down), 1), Double(count))
            if rank - place <= shortcut
                || area >= Self.integral(rank + 0.5, exponent) - Self.density(rank, exponent)
            {
                return Int(rank)
            }
        }
    }

    private static func density(_ place: Double, _ exponent: Double) -> Double {
        exp(-exponent * log(place))
    }

    private static func integral(_ place: Double, _ exponent: Double) -> Double {
        let logarithm = log(place)
        return exponentialRatio((1 - exponent) * logarithm) * logarithm
    }

    private static func inverse(_ area: Double, _ exponent: Double) -> Double {
        // Below -1 there is only what rounding left.
        let argument = max(area * (1 - exponent), -1)
        return exp(logarithmRatio(argument) * area)
    }

    /// log(1 + x) / x, also around 0.
    private static func logarithmRatio(_ x: Double) -> Double {
        abs(x) > 1e-8 ? log1p(x) / x : 1 - x * (0.5 - x * (1.0 / 3 - 0.25 * x))
    }

    /// (eˣ - 1) / x, also around 0.
    private static func exponentialRatio(_ x: Double) -> Double {
        abs(x) > 1e-8 ? expm1(x) / x : 1 + x * 0.5 * (1 + x / 3 * (1 + 0.25 * x))
    }
}
