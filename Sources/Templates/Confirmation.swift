package import Basics
import Configuration
import YAML

/// How the partner is asked what became of a job: `confirm` of a template.
package struct Confirmation: Sendable {
    /// How long to wait before each time, in milliseconds.
    package let everyMilliseconds: Int64
    /// After how long nobody asks any more, in milliseconds.
    package let giveUpMilliseconds: Int64
    let request: RequestForm
    /// Where the answer that accepted a request has the job's id.
    let id: JSONPointer
    let rules: [ResponseRule]
}

extension Confirmation {
    /// Reads `confirm`.
    static func read(
        _ section: consuming Section,
        _ vocabulary: Vocabulary,
        _ findings: Findings,
        batchItemsMax: Int
    ) -> Confirmation? {
        var every: Int64 = 10_000
        var giveUp: Int64 = 1_800_000
        section.read("every", into: &every, .duration(1000...3_600_000))
        section.read("give_up", into: &giveUp, .duration(1000...86_400_000))
        if giveUp < every {
            section.report(
                .conflict,
                at: section.mark,
                "\(section.path(of: "give_up")): is shorter than every, so nobody would ask"
            )
        }
        let id = section.required("id", .pointer)
        var request: RequestForm?
        if let inner = section.sectionIfGiven("request", table: "request") {
            let scope: Placeholder.Scope = [.settings, .cohort, .list, .batch, .job]
            request = RequestForm.read(
                inner,
                vocabulary.at(scope),
                takesUsers: false,
                findings
            )
        } else {
            section.report(
                .missingKey,
                at: section.mark,
                "\(section.path(of: "request")) is missing (expected {method, path})"
            )
        }
        let rules = ResponseRule.read(&section, findings, batchItemsMax: batchItemsMax)
        section.finish()
        guard let request, let id else { return nil }
        return Confirmation(
            everyMilliseconds: every,
            giveUpMilliseconds: giveUp,
            request: request,
            id: id,
            rules: rules
        )
    }
}

/// What an answer to a request about a job means.
package enum JobVerdict: Sendable, Equatable {
    /// The job is not done, or nobody could say.
    case running(TemplateVerdict)
    /// It is done; the verdict is of the users of the request that began it.
    case ended(TemplateVerdict)
}

extension TemplateBinding {
    /// The job that an answer names; nil where the template asks about none, or the answer names none.
    package func jobID(_ answer: TemplateAnswer) -> String? {
        guard let confirm = template.confirm, !answer.isBodyCut,
            let tree = DocumentReader.readJSON(answer.body),
            let id = confirm.id.find(in: tree)?.scalarText, (1...512).contains(id.utf8.count)
        else { return nil }
        return id
    }

    /// The request that asks about a job; nil where the template has none.
    package func jobRequest(_ id: String, _ batch: BatchContext) -> TemplateRequest? {
        let context = RequestContext(batch: batch, jobID: id)
        return jobProgram?.request(context, user: nil, items: [], changes: [])
    }

    /// What an answer about a job means.
    ///
    /// - Parameters: as of ``judge(_:of:changes:now:)``; `request` is that which began the job.
    package func judgeJob(
        _ answer: TemplateAnswer,
        of request: TemplateRequest,
        changes: ChangeList,
        now: EventTime
    ) -> JobVerdict {
        let rules = template.confirm?.rules ?? []
        let verdict = judge(answer, by: rules, of: request, changes: changes, now: now)
        guard let index = verdict.rule else { return .running(verdict) }
        let rule = rules[index]
        switch verdict.outcome {
        case .accepted where rule.outcome == .accepted:
            // An answer that says who was left out is the last one.
            return rule.items == nil && rule.countSkipped == nil
                ? .running(verdict) : .ended(verdict)
        case .throttle: return .running(verdict)
        // The question failed, and not the job.
        case .retry where answer.status >= 300: return .running(verdict)
        default: return .ended(verdict)
        }
    }
}
