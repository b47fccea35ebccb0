import Basics

@testable import Sync

/// A destination that loses requests and responses, answers late and refuses, as the seed wants it.
struct SimulatedReceiver {
    /// Something that will happen at a time.
    struct Happening {
        enum Kind {
            case apply
            case answer(DeliveryOutcome)
        }
        var time: Int64
        var request: DeliveryRequest
        var kind: Kind
        /// Whom it is about, by place; nil for all.
        var places: Set<Int>?
        /// The list that the request named.
        var list: Int
        /// The process that waits for the answer.
        var process: Int
    }

    /// What it holds, by sync.
    var members: [String: Set<String>] = [:]
    /// What is under way.
    var queue: [Happening] = []
    /// The number of the list of each sync; members of an earlier one are gone.
    var lists: [String: Int] = [:]
    /// How long a sender waits.
    let timeout: Int64
    /// How many timeouts later than the sender's a lost request may still be applied; 1 is the promise.
    var timeoutsLateMax: Int64 = 1

    /// Takes a request and decides its fate.
    mutating func accept(
        _ request: DeliveryRequest,
        at time: Int64,
        process: Int,
        list: Int,
        isSettling: Bool,
        isFaulty: Bool,
        _ generator: inout SeededGenerator
    ) {
        let travel = Int64(generator.number(in: 1...300))
        func happen(_ delay: Int64, _ kind: Happening.Kind, _ places: Set<Int>? = nil) {
            queue.append(
                Happening(
                    time: time + delay,
                    request: request,
                    kind: kind,
                    places: places,
                    list: list,
                    process: process
                )
            )
        }
        guard list == lists[request.syncID] ?? 0 else {
            return happen(travel, .answer(.gone(detail: "404")))
        }
        if isSettling, isFaulty, generator.chance(percent: 40) {
            let (outcomes, now, late) = settle(request.users.count, &generator)
            happen(travel, .apply, now)
            happen(timeout + Int64(generator.below(Int(timeout))), .apply, late)
            return happen(timeout, .answer(.settled(outcomes)))
        }
        switch isFaulty ? generator.below(100) : 0 {
        case 0..<50:
            happen(travel, .apply)
            happen(travel * 2, .answer(.delivered))
        case 50..<58:  // The request is lost.
            happen(timeout, .answer(.timeout))
        case 58..<68:  // The response is lost.
            happen(travel, .apply)
            happen(timeout, .answer(.timeout))
        case 68..<78:  // Applied after the sender gave up.
            happen(timeout + Int64(generator.below(Int(timeout * timeoutsLateMax))), .apply)
            happen(timeout, .answer(.timeout))
        case 78..<84:
            if generator.chance(percent: 50) { happen(travel, .apply) }
            happen(travel * 2, .answer(.retriable(detail: "503")))
        case 84..<90:
            let wait = Int64(generator.below(4000))
            happen(
                travel,
                .answer(
                    .retriable(
                        detail: "429",
                        retryAfterMilliseconds: wait,
                        knownNotApplied: true
                    )
                )
            )
        case 90..<98:
            happen(0, .answer(.refused))
        default:
            happen(travel, .answer(.authenticationRefused(detail: "401")))
        }
    }

    /// An outcome for each user, and who is applied now and after the sender gave up.
    private func settle(
        _ count: Int,
        _ generator: inout SeededGenerator
    ) -> (outcomes: UserOutcomes, now: Set<Int>, late: Set<Int>) {
        var outcomes = UserOutcomes(count: count, all: .notApplied)
        var now: Set<Int> = []
        var late: Set<Int> = []
        for place in 0..<count {
            switch generator.below(100) {
            case 0..<45:
                outcomes.set(place, generator.chance(percent: 50) ? .delivered : .accepted)
                now.insert(place)
            case 45..<65: outcomes.set(place, .skipped, reason: "refused")
            case 65..<80: break
            default:
                outcomes.set(place, .unknown)
                if generator.chance(percent: 30) {
                    now.insert(place)
                } else if generator.chance(percent: 50) {
                    late.insert(place)
                }
            }
        }
        return (outcomes, now, late)
    }

    /// What happens up to `time`, in order; what is applied is applied.
    mutating func happenings(until time: Int64) -> [Happening] {
        let due = queue.filter { $0.time <= time }.sorted { $0.time < $1.time }
        queue.removeAll { $0.time <= time }
        for happening in due {
            guard case .apply = happening.kind else { continue }
            guard happening.list == lists[happening.request.syncID] ?? 0 else { continue }
            for (place, user) in happening.request.users.texts.enumerated()
            where happening.places?.contains(place) ?? true {
                if place >= happening.request.exitCount {
                    members[happening.request.syncID, default: []].insert(user)
                } else {
                    members[happening.request.syncID, default: []].remove(user)
                }
            }
        }
        return due
    }
}
