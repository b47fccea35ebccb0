/// A template with the settings of a destination and the cohort of a sync: ready to make requests.
///
/// What a worker does with it:
/// 1. ``needsList``: send ``ensure(_:changes:)``, give the answer to ``judgeEnsure(_:now:)``, keep the list's id,
///    and go on with ``with(listID:)``.
/// 2. Map users by an ``IdentityMapper`` of `template.identity`, keep the rows, and collect a ``ChangeList``.
/// 3. Where the template looks users up: send ``lookup(_:_:)``, give the answer to
///    ``judgeLookup(_:of:users:now:)``, and go on with ``ChangeList/naming(_:)``.
/// 4. ``plan(_:range:_:)`` gives the requests one by one; send each, and give the answer to
///    ``judge(_:of:changes:now:)``. Where the answer names a job, ask by ``jobRequest(_:_:)`` until
///    ``judgeJob(_:of:changes:now:)`` says that it has ended.
///
/// Where requests need an access token (``needsToken``), ``tokenRequest()`` comes before all of them.
///
/// The same changes give the same requests, byte for byte. A value: any thread may use it.
package struct TemplateBinding: Sendable {
    /// The template.
    package let template: Template
    let constants: TemplateConstants
    private let ensureProgram: RequestProgram?
    private let renameProgram: RequestProgram?
    private let deleteProgram: RequestProgram?
    let tokenProgram: RequestProgram?
    let lookupProgram: RequestProgram?
    let jobProgram: RequestProgram?
    private let members: MemberPrograms?

    /// The programs of `members`.
    struct MemberPrograms: Sendable {
        var add: RequestProgram?
        var remove: RequestProgram?
        var change: RequestProgram?
        var replace: RequestProgram?
        var begin: RequestProgram?
        var end: RequestProgram?
    }

    /// Binds a template.
    ///
    /// - Parameters:
    ///   - template: The template.
    ///   - settings: The destination's, references resolved.
    ///   - cohort: The sync's.
    ///   - listID: The id that the partner gave the list, if it did already.
    ///   - decompose: Unicode's compatibility decomposition.
    ///   - isRedacted: Whether requests are made for people to read: `***` stands for what comes from secrets.
    /// - Throws: What is wrong with the settings, all at once.
    package init(
        _ template: Template,
        settings: [String: SettingValue],
        cohort: TemplateCohort,
        listID: String? = nil,
        decompose: @escaping CompatibilityDecomposition,
        isRedacted: Bool = false
    ) throws(TemplateBindingError) {
        var constants = try TemplateConstants(
            template,
            settings: settings,
            cohort: cohort,
            listID: listID,
            decompose: decompose,
            isRedacted: isRedacted
        )
        if case .given(let id) = template.list?.id { constants.listID = constants.text(id) }
        try self.init(template, constants)
    }

    private init(
        _ template: Template,
        _ constants: TemplateConstants
    ) throws(TemplateBindingError) {
        self.template = template
        self.constants = constants
        func compile(_ form: RequestForm?) throws(TemplateBindingError) -> RequestProgram? {
            guard let form else { return nil }
            return try RequestProgram(form, of: template, constants)
        }
        if case .oauth2(let grant) = template.authentication {
            tokenProgram = try compile(grant.request)
        } else {
            tokenProgram = nil
        }
        ensureProgram = try compile(template.list?.ensure)
        guard template.list == nil || constants.listID != nil else {
            (renameProgram, deleteProgram, members) = (nil, nil, nil)
            (lookupProgram, jobProgram) = (nil, nil)
            return
        }
        renameProgram = try compile(template.list?.rename)
        deleteProgram = try compile(template.list?.delete)
        lookupProgram = try compile(template.lookup?.request)
        jobProgram = try compile(template.confirm?.request)
        members = MemberPrograms(
            add: try compile(template.members.add),
            remove: try compile(template.members.remove),
            change: try compile(template.members.change),
            replace: try compile(template.members.replace),
            begin: try compile(template.members.begin),
            end: try compile(template.members.end)
        )
    }

    /// The same binding for a list that the partner gave an id.
    package func with(listID: String) throws(TemplateBindingError) -> TemplateBinding {
        var constants = constants
        constants.listID = listID
        return try TemplateBinding(template, constants)
    }

    /// Whether the list's id has to come from an answer to ``ensure(_:changes:)`` before users can be sent.
    package var lacksListID: Bool { members == nil }

    /// What the request that carries a change of this direction is called: `members.change`; nil where there is
    /// none, or the list lacks its id.
    package func requestName(isEntering: Bool) -> String? {
        members.flatMap { ($0.change ?? (isEntering ? $0.add : $0.remove))?.name }
    }

    /// The request that makes the list, or finds it there; nil where the partner needs none.
    ///
    /// - Parameters:
    ///   - batch: For placeholders.
    ///   - changes: Where the template makes lists with their first users: these. What the request carries of
    ///     them is in its `changes`; without a user to carry there is no request.
    /// - Returns: The request.
    package func ensure(_ batch: BatchContext, changes: ChangeList? = nil) -> TemplateRequest? {
        guard let ensureProgram else { return nil }
        if template.isListMadeWithFirstBatch {
            let changes = changes ?? ChangeList()
            var plan = TemplateRequestPlan(
                changes: changes,
                range: 0..<changes.count,
                rule: template.batch,
                batch: batch,
                replace: nil,
                program: { $0 ? ensureProgram : nil }
            )
            return plan.next()
        }
        return request(ensureProgram, batch)
    }

    /// The request that tells the partner the list's new name; nil where there is none.
    package func rename(_ batch: BatchContext) -> TemplateRequest? {
        renameProgram.flatMap { request($0, batch) }
    }

    /// The request that removes the list; nil where there is none.
    package func delete(_ batch: BatchContext) -> TemplateRequest? {
        deleteProgram.flatMap { request($0, batch) }
    }

    private func request(
        _ program: RequestProgram,
        _ batch: BatchContext,
        _ replace: ReplaceContext? = nil
    ) -> TemplateRequest {
        let context = RequestContext(
            batch: batch,
            replace: replace,
            page: replace?.firstPage ?? 1,
            isLastPage: replace?.isFinal ?? false
        )
        let items = [[UInt8]](repeating: [], count: program.lists.count)
        return program.request(context, user: nil, items: items, changes: [])
    }

    /// The requests for some changes.
    ///
    /// - Parameters:
    ///   - changes: In the order in which they are to be sent; a request is cut where the template does not mix
    ///     directions and the direction changes.
    ///   - range: Which of them; nil for all. A batch that was refused is planned again in halves.
    ///   - batch: For placeholders.
    /// - Returns: The requests one by one. The list must have its id (``lacksListID``).
    package func plan(
        _ changes: ChangeList,
        range: Range<Int>? = nil,
        _ batch: BatchContext
    ) -> TemplateRequestPlan {
        guard let members else {
            preconditionFailure("\(template.name): users are planned for a list without an id")
        }
        return TemplateRequestPlan(
            changes: changes,
            range: range ?? 0..<changes.count,
            rule: template.batch,
            batch: batch,
            replace: nil,
            program: { members.change ?? ($0 ? members.add : members.remove) }
        )
    }

    /// The pages of a full sync, which replaces what the list holds.
    ///
    /// - Parameters:
    ///   - changes: Users of the cohort, all entering.
    ///   - replace: Which part of the full sync they are.
    ///   - batch: For placeholders.
    /// - Returns: The pages one by one; nil where the template cannot replace.
    package func planReplace(
        _ changes: ChangeList,
        _ replace: ReplaceContext,
        _ batch: BatchContext
    ) -> TemplateRequestPlan? {
        guard let program = members?.replace else { return nil }
        return TemplateRequestPlan(
            changes: changes,
            range: 0..<changes.count,
            rule: template.batch,
            batch: batch,
            replace: replace,
            program: { $0 ? program : nil }
        )
    }

    /// The request before the first page of a full sync; nil where the template has none.
    package func beginReplace(_ replace: ReplaceContext, _ batch: BatchContext) -> TemplateRequest?
    {
        members?.begin.flatMap { request($0, batch, replace) }
    }

    /// The request behind the last page of a full sync; nil where the template has none.
    package func endReplace(_ replace: ReplaceContext, _ batch: BatchContext) -> TemplateRequest? {
        members?.end.flatMap { request($0, batch, replace) }
    }
}
