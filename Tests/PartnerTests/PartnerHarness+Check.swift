import Basics
import PartnerKit

@testable import Sync

// What must hold when nothing is left to do.

extension PartnerHarness {
    /// Everything that is not as it must be.
    func problems() throws -> [String] {
        var problems: [String] = []
        for destination in destinations {
            for problem in destination.mock.problems {
                problems.append("\(destination.id): \(problem)")
            }
            problems += try differences(destination)
        }
        for status in planner.status(now: now)
        where status.pendingUsers != 0 || status.state != .live {
            problems.append(
                "not at rest: \(status.sync) is \(status.state), \(status.pendingUsers) wait, "
                    + (status.reason ?? "no reason")
            )
        }
        return problems + accounting() + leaks()
    }

    /// Where a partner does not hold what its cohorts hold.
    func differences(_ destination: TestedDestination) throws -> [String] {
        try destination.cohorts.compactMap { cohort in
            let list = destination.partner.list(
                cohort: SimulatedEngine.cohorts[cohort],
                given: planner.listID(sync: destination.syncID(cohort))
            )
            let held = destination.mock.lists.members[list] ?? []
            let wanted = try destination.expected(engine.members(of: cohort))
            guard held != wanted else { return nil }
            let missing = wanted.subtracting(held).sorted()
            let extra = held.subtracting(wanted).sorted()
            return "\(destination.id), list \(list): lacks \(missing), has too many \(extra)"
        }
    }

    /// Whether every batch of the journal has one end, and all its users are accounted for by it.
    private func accounting() -> [String] {
        var problems: [String] = []
        var planned: [String: Int] = [:]
        var count = (planned: 0, delivered: 0, skipped: 0, superseded: 0)
        do {
            for record in wholeJournal {
                try record.payload.withByteView { (view) throws(SyncJournalError) in
                    var decoder = JournalDecoder(type: record.type, payload: view)
                    switch JournalRecord.Kind(rawValue: record.type) {
                    case .batch:
                        let header = try decoder.batchHeader(.batch)
                        var users = 0
                        try decoder.users(of: header.cuts.map(\.partition)) { _, _ in users += 1 }
                        if planned.updateValue(users, forKey: header.messageID) != nil {
                            problems.append("\(header.messageID) is planned twice")
                        }
                        count.planned += users
                    case .delivered, .withdrawn, .settled:
                        _ = try decoder.text()
                        let message = try decoder.text()
                        guard let users = planned.removeValue(forKey: message) else {
                            problems.append("\(message) ends, and was not open")
                            return
                        }
                        if record.type == JournalRecord.Kind.delivered.rawValue {
                            count.delivered += users
                        } else if record.type == JournalRecord.Kind.withdrawn.rawValue {
                            count.superseded += users
                        } else {
                            _ = try decoder.flag()
                            let outcomes = try decoder.outcomes().outcomes
                            if outcomes.count != users {
                                problems.append("\(message): \(outcomes.count) of \(users) users")
                            }
                            for outcome in outcomes {
                                switch outcome {
                                case .delivered, .accepted: count.delivered += 1
                                case .skipped: count.skipped += 1
                                // Whoever was not taken is planned anew, or not wanted any more.
                                case .notApplied, .unknown: count.superseded += 1
                                }
                            }
                        }
                    case .relisted:
                        let sync = try decoder.text()
                        _ = sync
                        count.superseded += planned.values.reduce(0, +)
                        planned = [:]
                    default: break
                    }
                }
            }
        } catch {
            problems.append("a record cannot be read: \(error)")
        }
        let pending = planned.values.reduce(0, +)
        if pending > 0 { problems.append("\(planned.count) batches have no end") }
        if count.planned != count.delivered + pending + count.skipped + count.superseded {
            problems.append("\(count) and \(pending) pending do not add up")
        }
        return problems
    }

    /// What an operator may see and has a secret, an identifier or an answer's body in it.
    private func leaks() -> [String] {
        let secret = String(Partner.webhookSecret.dropFirst("whsec_".count))
        return log.filter { $0.contains("CANARY") || $0.contains(secret) }.sorted()
            .map { "a log line tells too much: \($0)" }
    }
}
