package import Basics

/// Which events there are, and how often each comes.
package struct TrafficMix: Sendable {
    /// A type of event, and how often it comes in proportion to the weights of the others.
    package struct Share: Equatable, Sendable {
        /// The type.
        package var type: String
        /// At least 1.
        package var weight: Int

        /// A share from its parts.
        package init(type: String, weight: Int) {
            self.type = type
            self.weight = weight
        }
    }

    private let shares: [Share]
    private let sum: Int

    /// A shop: people look, sometimes fill a cart, and rarely buy.
    package static let shop = TrafficMix([
        Share(type: "page_view", weight: 700), Share(type: "product_view", weight: 260),
        Share(type: "add_to_cart", weight: 33), Share(type: "purchase", weight: 7),
    ])

    /// A mix of at least one share; the sum of the weights is within an Int32.
    package init(_ shares: [Share]) {
        self.shares = shares
        sum = shares.reduce(0) { $0 + $1.weight }
        precondition(sum > 0 && sum <= Int(Int32.max), "weights of \(shares)")
    }

    /// One of the types.
    package func next(_ generator: inout SeededGenerator) -> String {
        var rest = generator.below(sum)
        for share in shares {
            if rest < share.weight { return share.type }
            rest -= share.weight
        }
        preconditionFailure("\(rest) is left of \(sum)")
    }
}
