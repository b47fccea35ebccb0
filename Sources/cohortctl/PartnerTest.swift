import Basics
import Configuration
import Delivery
import Destinations
import Templates
import Threads

/// A test of a destination that a template describes.
struct PartnerTest: HTTPDestinationTest {
    private let template: Template
    private let settings: [String: SettingValue]
    private let policy: AddressPolicy
    private let sample: SampleBatch
    private let secrets: TestSecrets
    private let batch: BatchContext

    init(
        _ template: Template,
        _ partner: DestinationConfiguration.Partner,
        _ destination: DestinationConfiguration,
        _ sample: SampleBatch,
        _ secrets: inout TestSecrets
    ) throws(ExitStatus) {
        self.template = template
        self.sample = sample
        var settings: [String: SettingValue] = [:]
        for declaration in template.settings {
            guard let value = partner.settings[declaration.name] else { continue }
            let text = try secrets.text(
                value,
                "settings.\(declaration.name)",
                isOptional: declaration.kind == .secret
            )
            settings[declaration.name] = text.map { SettingValue($0.reveal()) } ?? .unknown
        }
        self.settings = settings
        do throws(AddressError) {
            policy = try AddressPolicy(allowPrivate: destination.allowPrivate)
        } catch {
            throw secrets.problem(error.description)
        }
        self.secrets = secrets
        batch = BatchContext(
            id: "\(SampleBatch.cohortID)::0",
            tick: sample.now.roundedDown(toMultipleOf: 60_000)
        )
    }

    func rendered() throws(ExitStatus) -> [ShownRequest] {
        var binding = try binding(isRedacted: true)
        let entering = try changes([(sample.user, true)])
        var requests: [TemplateRequest] = []
        if let token = binding.tokenRequest() { requests.append(token) }
        if let ensure = binding.ensure(batch, changes: entering) { requests.append(ensure) }
        if binding.lacksListID {
            // As the answer to `ensure` would give it.
            binding = try bound { () throws(TemplateBindingError) in
                try binding.with(listID: "LIST-ID")
            }
        }
        var both = try changes([(sample.user, true), (sample.leaver, false)])
        if let lookup = binding.lookup(both, batch) {
            requests.append(lookup)
            // As the answer to it would give them.
            both = both.naming([0: "PARTNER-ID", 1: "PARTNER-ID"])
        }
        var plan = binding.plan(both, batch)
        while let request = plan.next() { requests.append(request) }
        return requests.map { ShownRequest($0.carryingRedactedToken()) }
    }

    func steps(by sender: TestSender) throws(ExitStatus) -> [TestStep] {
        var binding = try binding(isRedacted: false)
        var steps: [TestStep] = []
        var token: AccessToken?
        if let request = binding.tokenRequest() {
            let (answer, failure) = try ask(request, nil, sender)
            guard let answer else { return [failure] }
            guard case .granted(let granted) = binding.judgeToken(answer) else {
                // Of an answer that may hold a token nothing is shown.
                let text = "\(answer.status), it gives no access token"
                return [TestStep(name: request.name, text: text, isTaken: false)]
            }
            token = granted
            let text = "\(answer.status), it gives an access token"
            steps.append(TestStep(name: request.name, text: text, isTaken: true))
        }
        let entering = try changes([(sample.user, true)])
        if let request = binding.ensure(batch, changes: entering) {
            let (answer, failure) = try ask(request, token, sender)
            guard let answer else { return steps + [failure] }
            switch binding.judgeEnsure(answer, of: request, changes: entering, now: sample.now) {
            case .refused(let verdict): return steps + [step(request, answer, verdict)]
            case .ready(let listID, _):
                let text =
                    "\(answer.status), the list is there and stays: \(TextTable.shown(listID))"
                steps.append(TestStep(name: request.name, text: text, isTaken: true))
                if binding.lacksListID {
                    binding = try bound { () throws(TemplateBindingError) in
                        try binding.with(listID: listID)
                    }
                }
            }
        }
        for isEntering in [true, false] {
            var changes = try changes([(sample.user, isEntering)])
            if let request = binding.lookup(changes, batch) {
                let (answer, failure) = try ask(request, token, sender)
                guard let answer else { return steps + [failure] }
                switch binding.judgeLookup(answer, of: request, users: changes, now: sample.now) {
                case .refused(let verdict): return steps + [step(request, answer, verdict)]
                case .found(let ids):
                    let key = changes.withRow(0) { MappedRow.cell(0, of: $0).string }
                    guard let id = ids[key] else {
                        let text =
                            "\(answer.status), the partner does not know the user: try another by --user"
                        return steps + [TestStep(name: request.name, text: text, isTaken: false)]
                    }
                    let text = "\(answer.status), the partner knows the user"
                    steps.append(TestStep(name: request.name, text: text, isTaken: true))
                    changes = changes.naming([0: id])
                }
            }
            var plan = binding.plan(changes, batch)
            while let request = plan.next() {
                let (answer, failure) = try ask(request, token, sender)
                if let answer {
                    let verdict = binding.judge(
                        answer,
                        of: request,
                        changes: changes,
                        now: sample.now
                    )
                    steps.append(step(request, answer, verdict))
                } else {
                    steps.append(failure)
                }
                steps[steps.count - 1].name += isEntering ? " (add)" : " (remove)"
            }
            for left in plan.leftOut {
                let text = "no request holds the user: \(left.reason.rawValue)"
                steps.append(TestStep(name: template.name, text: text, isTaken: false))
            }
        }
        return steps
    }

    private func binding(isRedacted: Bool) throws(ExitStatus) -> TemplateBinding {
        try bound { () throws(TemplateBindingError) in
            try TemplateBinding(
                template,
                settings: settings,
                cohort: TemplateCohort(
                    id: SampleBatch.cohortID,
                    name: SampleBatch.cohortName,
                    createdAt: sample.now.roundedDown(toMultipleOf: 60_000)
                ),
                decompose: CompatibilityForm.decompose,
                isRedacted: isRedacted
            )
        }
    }
    private func bound<Value>(
        _ make: () throws(TemplateBindingError) -> Value
    ) throws(ExitStatus) -> Value {
        do throws(TemplateBindingError) {
            return try make()
        } catch {
            throw secrets.problem(error.description)
        }
    }

    private func changes(
        _ users: [(id: String, isEntering: Bool)]
    ) throws(ExitStatus) -> ChangeList {
        var mapper = try bound { () throws(TemplateBindingError) in
            try IdentityMapper(template.identity, decompose: CompatibilityForm.decompose)
        }
        var changes = ChangeList()
        for (id, isEntering) in users {
            do throws(MappingRefusal) {
                let row = try SampleUser(id: id).row(&mapper)
                row.withByteView { changes.append(row: $0, isEntering: isEntering) }
            } catch {
                printError(
                    "cohortctl: template \(template.name) cannot name the made-up user \(id): "
                        + "\(error.rawValue); try another by --user"
                )
                throw .no
            }
        }
        return changes
    }

    private func ask(
        _ request: TemplateRequest,
        _ token: AccessToken?,
        _ sender: TestSender
    ) throws(ExitStatus) -> (answer: TemplateAnswer?, failure: TestStep) {
        var failure = TestStep(name: request.name, text: "", isTaken: false)
        do throws(AddressError) {
            switch try sender.send(token.map(request.carrying) ?? request, policy) {
            case .answered(let answer):
                return (
                    TemplateAnswer(
                        status: answer.status,
                        headers: answer.headers,
                        body: answer.bodyPrefix,
                        isBodyCut: answer.isBodyCut
                    ),
                    failure
                )
            case .notSent(let text): failure.text = "not sent: \(text)"
            case .unknown(let text): failure.text = "nobody knows whether it was taken: \(text)"
            }
        } catch {
            throw secrets.problem(error.description)
        }
        return (nil, failure)
    }

    private func step(
        _ request: TemplateRequest,
        _ answer: TemplateAnswer,
        _ verdict: TemplateVerdict
    ) -> TestStep {
        var text = "\(answer.status) \(Self.words(verdict.outcome, verdict.reason, verdict.code))"
        for user in verdict.users where user.outcome != .delivered && user.outcome != .accepted {
            text += "; the user: \(Self.words(user.outcome, user.reason, user.code))"
        }
        if verdict.skippedCount > 0 { text += "; \(verdict.skippedCount) users were not taken" }
        if !verdict.isComplete { text += TestStep.excerpt(of: answer.body) }
        return TestStep(name: request.name, text: text, isTaken: verdict.isComplete)
    }

    private static func words(_ outcome: Outcome, _ reason: String?, _ code: String?) -> String {
        outcome.rawValue + (reason.map { ": \($0)" } ?? "") + (code.map { " (\($0))" } ?? "")
    }
}

/// A made-up user with a value for whatever a template asks for.
private struct SampleUser {
    let id: String

    /// The user's row; where a template wants a single value of several, the first that will do.
    func row(_ mapper: inout IdentityMapper) throws(MappingRefusal) -> [UInt8] {
        let values = mapper.sources.map { value(of: $0) }
        do throws(MappingRefusal) {
            return try row(values, &mapper)
        } catch {
            for index in values.indices {
                let one = values.enumerated().map { $0.offset == index ? $0.element : [] }
                do throws(MappingRefusal) {
                    return try row(one, &mapper)
                } catch {
                    // The next may do; the first refusal says more than the last.
                    continue
                }
            }
            throw error
        }
    }

    private func row(
        _ values: [[UInt8]],
        _ mapper: inout IdentityMapper
    ) throws(MappingRefusal) -> [UInt8] {
        let bytes = Array(values.joined())
        var row: [UInt8] = []
        try bytes.withByteView { (all: ByteView) throws(MappingRefusal) in
            var views: [ByteView] = []
            var start = 0
            for value in values {
                views.append(ByteView(base: all.base + start, count: value.count))
                start += value.count
            }
            try mapper.map(views, into: &row)
        }
        return row
    }

    private func value(of source: Identity.Source) -> [UInt8] {
        let text: String
        switch source {
        case .userID: text = id
        case .deviceID: text = ""
        case .property(let name):
            let name = name.lowercased()
            if name.contains("mail") {
                text = "\(id)@example.com"
            } else if name.contains("phone") {
                text = "+15555550100"
            } else if name.contains("country") {
                text = "US"
            } else {
                text = id
            }
        }
        return Array(text.utf8)
    }
}
