import Basics

/// What the users of the benchmark of ticks send, as JSON, one event at a time.
struct TickTraffic {
    /// How many users there are.
    let userCount: Int
    private var generator: SeededGenerator
    /// Every user once; the first of them were picked last.
    private var order: [UInt32]
    /// How often each was touched.
    private var touches: [UInt8]
    private var tiers: [UInt8]
    private var text: [UInt8] = []

    /// Users of whom nobody has sent anything.
    init(userCount: Int, seed: UInt64) {
        self.userCount = userCount
        generator = SeededGenerator(seed: seed)
        order = (0..<UInt32(userCount)).map { $0 }
        touches = [UInt8](repeating: 0, count: userCount)
        tiers = [UInt8](repeating: 0, count: userCount)
    }

    /// The first event of a user.
    mutating func login(_ user: Int, at time: EventTime, _ body: (ByteView) -> Void) {
        let tier = generator.below(TickDefinitions.tierCount)
        tiers[user] = UInt8(tier)
        send(user, "l", 0, tier: tier, at: time, body)
    }

    /// An event that flips nothing, or hardly anything.
    mutating func history(_ user: Int, at time: EventTime, _ body: (ByteView) -> Void) {
        let type = generator.below(TickDefinitions.historyTypeCount)
        send(user, "b", type, tier: nil, at: time, body)
    }

    /// An event that flips four memberships; ``TickDefinitions/typeCount`` times for a user, two from then on.
    mutating func touch(_ user: Int, at time: EventTime, _ body: (ByteView) -> Void) {
        let type = (user &* 7 &+ Int(touches[user])) % TickDefinitions.typeCount
        touches[user] &+= 1
        let move = 1 + generator.below(TickDefinitions.tierCount - 1)
        let tier = (Int(tiers[user]) + move) % TickDefinitions.tierCount
        tiers[user] = UInt8(tier)
        send(user, "t", type, tier: tier, at: time, body)
    }

    /// An event that counts until midnight.
    mutating func visit(_ user: Int, at time: EventTime, _ body: (ByteView) -> Void) {
        send(user, "v", 0, tier: nil, at: time, body)
    }

    /// Picks so many users, none twice; ``picked(_:)`` tells them.
    mutating func pick(_ count: Int) {
        for place in 0..<count {
            order.swapAt(place, place + generator.below(userCount - place))
        }
    }

    /// One of those that were picked.
    func picked(_ place: Int) -> Int { Int(order[place]) }

    private mutating func send(
        _ user: Int,
        _ letter: Unicode.Scalar,
        _ type: Int,
        tier: Int?,
        at time: EventTime,
        _ body: (ByteView) -> Void
    ) {
        text.removeAll(keepingCapacity: true)
        append("{\"user_id\":\"u")
        append(user, digits: 9)
        append("\",\"event_type\":\"")
        text.append(UInt8(ascii: letter))
        append(type, digits: 2)
        append("\",\"time\":")
        append(Int(time.milliseconds), digits: 13)
        append(",\"event_properties\":{\"price\":")
        append(10 + generator.below(90), digits: 2)
        append(".5,\"category\":\"c")
        append(generator.below(20), digits: 2)
        append("\"}")
        if let tier {
            append(",\"user_properties\":{\"tier\":\"tier")
            append(tier, digits: 2)
            append("\"}")
        }
        append("}")
        text.withByteView(body)
    }

    private mutating func append(_ words: StaticString) {
        text.append(
            contentsOf: UnsafeBufferPointer(
                start: words.utf8Start,
                count: words.utf8CodeUnitCount
            )
        )
    }

    /// Appends a number with as many digits.
    private mutating func append(_ number: Int, digits: Int) {
        let end = text.count + digits
        for _ in 0..<digits { text.append(0x30) }
        var rest = number
        for place in 1...digits {
            text[end - place] = UInt8(0x30 + rest % 10)
            rest /= 10
        }
    }
}
