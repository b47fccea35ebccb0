import Basics
import Cohorts

extension LogGaps {
    /// Until when a cohort may count somebody out who is in, because what was missed would tell.
    enum Doubt: Equatable {
        /// It never looked at anything that is missing, or not any more.
        case none
        /// Until this instant.
        case until(EventTime)
        /// For good, since it looks at everything that ever happened.
        case forGood
    }

    /// Whether a cohort looks back over a gap.
    ///
    /// An event at t shows at a tick T while t > T − reach, so a gap found at g is out of sight at g + reach.
    func doubt(cohort: Int, of plan: Plan) -> Doubt {
        guard let newest = all.map(\.at).max() else { return .none }
        if plan.looksAtProperties(cohort: cohort) { return .forGood }
        if all.contains(where: \.isOfCommands), plan.looksAtUploads(cohort: cohort) {
            return .forGood
        }
        return switch plan.cohorts[cohort].reach {
        case .nothing: .none
        case .everything: .forGood
        case .milliseconds(let reach): .until(newest + reach)
        }
    }

    /// By cohort of the plan: whether no exit of it is certain at a tick.
    ///
    /// `accepted` are the ids of cohorts that may go on from incomplete history.
    func doubtful(at tick: EventTime, _ plan: Plan, accepted: Set<String>) -> [Bool] {
        plan.cohorts.indices.map { cohort in
            if isEmpty || accepted.contains(plan.cohorts[cohort].id) { return false }
            return switch doubt(cohort: cohort, of: plan) {
            case .none: false
            case .until(let end): tick < end
            case .forGood: true
            }
        }
    }
}
