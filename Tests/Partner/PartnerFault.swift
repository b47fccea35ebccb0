import Basics

/// What goes wrong with one request at a partner.
package enum PartnerFault: CaseIterable, Sendable {
    /// The request is lost: nothing is applied, and no answer comes.
    case lostRequest
    /// The answer is lost: everything is applied.
    case lostAnswer
    /// Applied after the sender gave up.
    case appliedLate
    /// 5xx, and nothing is applied.
    case failureBefore
    /// 5xx although everything is applied.
    case failureAfter
    /// Too many requests.
    case throttled
    /// The connection is reset, and nothing is applied.
    case resetBefore
    /// The connection is reset after everything is applied.
    case resetAfter
    /// The connection ends, and nothing is applied.
    case closedBefore
    /// Applied, and the answer ends in its middle.
    case truncated
    /// Applied, and the answer promises bytes that never come.
    case longLength
    /// Applied, and the answer has more bytes than it promises.
    case shortLength
}

/// Which requests go wrong, and how: the same seed, the same faults in the same order.
package struct FaultSchedule: Sendable {
    private var generator: SeededGenerator
    private let percent: Int

    /// A schedule in which so many requests in a hundred go wrong.
    package init(seed: UInt64, percent: Int) {
        generator = SeededGenerator(seed: seed)
        self.percent = percent
    }

    /// What happens to the next request; nil where nothing goes wrong.
    mutating func next() -> PartnerFault? {
        let fault = generator.pick(PartnerFault.allCases)
        return generator.chance(percent: percent) ? fault : nil
    }

    /// A delay of at most `max`.
    mutating func delay(_ max: Int) -> Int { generator.below(max + 1) }
}
