import Basics
import PartnerKit
import Sync

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
        return problems + JournalAccount(wholeJournal).problems + leaks()
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

    /// What an operator may see and has a secret, an identifier or an answer's body in it.
    private func leaks() -> [String] {
        let secret = String(Partner.webhookSecret.dropFirst("whsec_".count))
        return log.filter { $0.contains("CANARY") || $0.contains(secret) }.sorted()
            .map { "a log line tells too much: \($0)" }
    }
}
