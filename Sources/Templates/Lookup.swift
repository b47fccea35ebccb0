package import Basics
import Configuration
import YAML

/// How ids of the partner's own are found for ours: `lookup` of a template.
package struct Lookup: Sendable {
    /// What member requests call the id that was found.
    static let name = "partner_id"
    /// Why a user is skipped whom the partner does not know.
    package static let missingReason = "lookup_missing"

    /// What becomes of users whom the partner does not know.
    enum Missing: String, CaseIterable, Sendable {
        case skip
    }

    /// Users of one request, at most.
    package let itemsMax: Int
    /// How long an id that was found is believed, in milliseconds.
    package let lifetimeMilliseconds: Int64
    let request: RequestForm
    /// The elements of the answer, each about one user.
    let elements: JSONPointer
    /// Where an element has our id.
    let key: JSONPointer
    /// Where it has the partner's.
    let id: JSONPointer
}

extension Lookup {
    /// Reads `lookup`.
    static func read(
        _ section: consuming Section,
        _ vocabulary: Vocabulary,
        _ findings: Findings
    ) -> Lookup? {
        var itemsMax = 100
        var lifetime: Int64 = 3_600_000
        section.read("batch", into: &itemsMax, .integer(1...1000))
        section.read("ttl", into: &lifetime, .duration(0...604_800_000))
        _ = section.optional("missing", ValueReader<Missing>.word)
        let key = section.required("key", .pointer(takesWildcard: true))
        let id = section.required("id", .pointer(takesWildcard: true))
        var request: RequestForm?
        if let inner = section.sectionIfGiven("request", table: "request") {
            let user: Placeholder.Scope = itemsMax == 1 ? .user : []
            let form = RequestForm.read(
                inner,
                vocabulary.at([.settings, .cohort, .list, .batch, .lookup, user]),
                takesUsers: true,
                findings
            )
            if form.isWhole, form.lists.isEmpty, itemsMax > 1, !form.reads(.lookupKeys) {
                section.report(
                    .conflict,
                    at: form.mark,
                    "\(form.name): names no users: add a $each, ${lookup.keys}, or lookup.batch: 1"
                )
            }
            if form.lists.contains(where: { $0.selection != .batch && $0.selection != .changes }) {
                section.report(
                    .conflict,
                    at: form.mark,
                    "\(form.name): asks for users of both directions: write $each: batch"
                )
            }
            request = form
        } else {
            section.report(
                .missingKey,
                at: section.mark,
                "\(section.path(of: "request")) is missing (expected {method, path, body})"
            )
        }
        var places: (elements: JSONPointer, key: JSONPointer, id: JSONPointer)?
        if let key, let id {
            places = Self.split(key, id)
            if places == nil {
                section.report(
                    .conflict,
                    at: section.mark,
                    "\(section.path(of: "key")): expected key and id in the same elements, "
                        + "such as /results/*/email and /results/*/id"
                )
            }
        }
        section.finish()
        guard let request, let places else { return nil }
        return Lookup(
            itemsMax: itemsMax,
            lifetimeMilliseconds: lifetime,
            request: request,
            elements: places.elements,
            key: places.key,
            id: places.id
        )
    }

    /// The list that both go through, and what is behind its `*`; nil where there is no such one.
    private static func split(
        _ key: JSONPointer,
        _ id: JSONPointer
    ) -> (elements: JSONPointer, key: JSONPointer, id: JSONPointer)? {
        guard let star = key.steps.lastIndex(of: "*"), id.steps.lastIndex(of: "*") == star,
            key.steps[...star] == id.steps[...star]
        else { return nil }
        return (
            JSONPointer(steps: Array(key.steps[...star])),
            JSONPointer(steps: Array(key.steps[(star + 1)...])),
            JSONPointer(steps: Array(id.steps[(star + 1)...]))
        )
    }
}

/// What an answer to a lookup means.
package enum LookupVerdict: Sendable {
    /// Ids of the partner by ours; who is not among them is not known there.
    case found([String: String])
    /// It tells nothing.
    case refused(TemplateVerdict)
}

extension TemplateBinding {
    /// The request that asks for the partner's ids of some users.
    ///
    /// - Parameters:
    ///   - users: At most ``Lookup/itemsMax``; directions do not matter.
    ///   - batch: For placeholders.
    /// - Returns: The request; nil where the template looks nothing up, or a user cannot be carried.
    package func lookup(_ users: ChangeList, _ batch: BatchContext) -> TemplateRequest? {
        guard let lookupProgram, let lookup = template.lookup else { return nil }
        let keys = (0..<users.count).map { users.withRow($0) { MappedRow.cell(0, of: $0).string } }
        if lookupProgram.lists.isEmpty, lookup.itemsMax > 1 {
            let context = RequestContext(batch: batch, lookupKeys: keys)
            let changes = Array(0..<users.count)
            return lookupProgram.request(context, user: nil, items: [], changes: changes)
        }
        var rule = BatchRule()
        rule.itemsMax = lookup.itemsMax
        rule.mixes = true
        var plan = TemplateRequestPlan(
            changes: users,
            range: 0..<users.count,
            rule: rule,
            batch: batch,
            replace: nil,
            lookupKeys: keys,
            program: { _ in lookupProgram }
        )
        return plan.next()
    }

    /// What an answer to ``lookup(_:_:)`` means.
    ///
    /// - Parameters: as of ``judge(_:of:changes:now:)``.
    package func judgeLookup(
        _ answer: TemplateAnswer,
        of request: TemplateRequest,
        users: ChangeList,
        now: EventTime
    ) -> LookupVerdict {
        var verdict = judge(answer, of: request, changes: users, now: now)
        switch verdict.outcome {
        case .delivered, .accepted: break
        // Who is asked for alone is not there; the list of the cohort has no part in it.
        case .gone where template.lookup?.itemsMax == 1: return .found([:])
        case .gone:
            verdict.outcome = .fatal
            return .refused(verdict)
        default: return .refused(verdict)
        }
        guard let lookup = template.lookup, !answer.isBodyCut,
            let tree = DocumentReader.readJSON(answer.body)
        else {
            // Half as many users make an answer that can be read.
            var verdict = TemplateVerdict(
                outcome: .fatal,
                reason: TemplateVerdict.Reason.unreadableAnswer.rawValue
            )
            verdict.isSplit = request.changes.count > 1
            return .refused(verdict)
        }
        var found: [String: String] = [:]
        for element in lookup.elements.findAll(in: tree) {
            guard let key = lookup.key.find(in: element)?.scalarText,
                let id = lookup.id.find(in: element)?.scalarText, (1...512).contains(id.utf8.count)
            else { continue }
            found[key] = id
        }
        return .found(found)
    }
}
