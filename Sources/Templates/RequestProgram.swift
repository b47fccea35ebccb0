import Basics

/// A request compiled with everything that is known before it is made.
struct RequestProgram: Sendable {
    /// A part of a URL, a header or a form.
    enum Piece: Sendable {
        case literal(String)
        case later(TemplateText.Expression)
    }

    /// A name and the pieces of its value.
    struct Field: Sendable {
        var name: String
        var value: [Piece]
        var omitsEmpty: Bool
    }

    /// The programs of one list of users.
    struct UserList: Sendable {
        var selection: BodyTree.Selection
        var entering: BodyProgram
        var leaving: BodyProgram
    }

    /// What is sent behind the headers.
    enum Body: Sendable {
        case none
        case json(BodyProgram)
        case form([Field])
    }

    let name: String
    let method: String
    let timeoutMilliseconds: Int64
    /// Whether an access token goes with it.
    let needsToken: Bool
    /// Percent-encoded pieces, the first beginning with the scheme.
    private let url: [Piece]
    private let query: [Field]
    private let headers: [Field]
    private let body: Body
    let lists: [UserList]
    private let values: [RequestValue]
    private let constants: TemplateConstants

    /// Compiles a request.
    ///
    /// - Throws: What the settings lack for it.
    init(
        _ form: RequestForm,
        of template: Template,
        _ constants: TemplateConstants
    ) throws(TemplateBindingError) {
        name = form.name
        method = form.method.rawValue
        timeoutMilliseconds = template.timeoutMilliseconds
        self.constants = constants
        let authentication = form.authentication ?? template.authentication
        if case .oauth2 = authentication { needsToken = true } else { needsToken = false }
        let maker = FieldMaker(constants: constants, request: form.name)
        url = try maker.url(base: form.url ?? template.baseURL, path: form.path)
        if form.url != nil { try maker.refusePlain(url) }
        var query = form.query
        if case .query(let fields) = authentication { query += fields }
        self.query = query.map { maker.field($0) }
        var compiler = BodyCompiler(constants)
        lists = form.lists.map { list in
            UserList(
                selection: list.selection,
                entering: compiler.compile(list.item, isEntering: true),
                leaving: compiler.compile(list.item, isEntering: false)
            )
        }
        var tree = form.body
        if case .body(let fields) = authentication { tree = Self.adding(fields, to: tree) }
        var type: String?
        switch (tree, form.encoding) {
        case (nil, _): body = .none
        case (let tree?, .json):
            body = .json(compiler.compile(tree))
            type = "application/json"
        case (let tree?, .form):
            body = .form(maker.fields(of: tree))
            type = "application/x-www-form-urlencoded"
        }
        values = compiler.values
        headers = try maker.headers(
            form.isApart ? [] : template.headers,
            form.headers,
            authentication,
            type: type
        )
    }

    /// A body with the fields of `auth` behind its own.
    private static func adding(_ fields: [RequestForm.Parameter], to tree: BodyTree?) -> BodyTree {
        let members = fields.map {
            BodyTree.Member(key: TemplateText(literal: $0.name), value: .text($0.value))
        }
        return switch tree {
        case .map(let own): .map(own + members)
        case .omitEmpty(.map(let own)): .omitEmpty(.map(own + members))
        default: .map(members)
        }
    }

    /// What places are filled with in a request.
    func input(_ context: RequestContext, _ user: UserAtHand?) -> BodyInput {
        let constants = constants
        let cellCount = constants.identityNames.count
        let prepared = values.map { value -> [UInt8]? in
            guard let base = context.value(of: value.expression.placeholder),
                let result = constants.apply(value.expression.filters, to: base)
            else { return nil }
            var bytes: [UInt8] = []
            BodyProgram.append(result, isWhole: value.isWhole, to: &bytes)
            return bytes
        }
        return BodyInput(
            user: user,
            cellCount: cellCount,
            values: prepared,
            isLastPage: context.isLastPage,
            slow: { expression, user in
                user.value(of: expression.placeholder, cellCount: cellCount).flatMap {
                    constants.apply(expression.filters, to: $0)
                }
            }
        )
    }

    /// The length of the body without its users, at most: what is empty is counted in full.
    func fixedByteCount(_ context: RequestContext) -> Int {
        guard case .json(let program) = body else { return 0 }
        var input = input(context, nil)
        input.lists = Array(repeating: [], count: lists.count)
        input.omits = false
        var bytes: [UInt8] = []
        program.run(input, into: &bytes)
        // `page.last` is known only when the page is cut: true and false differ by one.
        return bytes.count + 1
    }

    /// The request itself.
    ///
    /// - Parameters:
    ///   - context: What it has in common with no or few other requests.
    ///   - user: The user of a request for one.
    ///   - items: The items of each list, each with a comma behind it.
    ///   - changes: The changes it carries.
    /// - Returns: The finished request.
    func request(
        _ context: RequestContext,
        user: UserAtHand?,
        items: [[UInt8]],
        changes: [Int]
    ) -> TemplateRequest {
        var bytes: [UInt8] = []
        switch body {
        case .none: break
        case .json(let program):
            var input = input(context, user)
            input.lists = items
            bytes.reserveCapacity(items.reduce(512) { $0 + $1.count })
            program.run(input, into: &bytes)
        case .form(let fields): appendForm(fields, context, user, to: &bytes)
        }
        var url = text(self.url, context, user, encodesSegments: true)
        var pairs: [UInt8] = []
        appendForm(query, context, user, to: &pairs)
        if !pairs.isEmpty {
            url += url.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
            url += String(decoding: pairs, as: UTF8.self)
        }
        var headers: [(name: String, value: String)] = []
        for header in self.headers {
            let value = text(header.value, context, user, encodesSegments: false)
            if !value.isEmpty { headers.append((header.name, value)) }
        }
        return TemplateRequest(
            name: name,
            method: method,
            url: url,
            headers: headers,
            body: bytes,
            timeoutMilliseconds: timeoutMilliseconds,
            needsToken: needsToken,
            changes: changes
        )
    }

    private func text(
        _ pieces: [Piece],
        _ context: RequestContext,
        _ user: UserAtHand?,
        encodesSegments: Bool
    ) -> String {
        pieces.map { piece in
            switch piece {
            case .literal(let text): return text
            case .later(let expression):
                let value = value(expression, context, user)?.text ?? ""
                return encodesSegments
                    ? PercentEncoding.segment(value) : FieldMaker.withoutControls(value)
            }
        }.joined()
    }

    private func value(
        _ expression: TemplateText.Expression,
        _ context: RequestContext,
        _ user: UserAtHand?
    ) -> TemplateValue? {
        let base =
            context.value(of: expression.placeholder)
            ?? user?.value(of: expression.placeholder, cellCount: constants.identityNames.count)
        return base.flatMap { constants.apply(expression.filters, to: $0) }
    }

    private func appendForm(
        _ fields: [Field],
        _ context: RequestContext,
        _ user: UserAtHand?,
        to bytes: inout [UInt8]
    ) {
        for field in fields {
            let value = field.value.map { piece -> String in
                switch piece {
                case .literal(let text): return text
                case .later(let expression):
                    return self.value(expression, context, user)?.text ?? ""
                }
            }.joined()
            if value.isEmpty, field.omitsEmpty { continue }
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
            PercentEncoding.append(field.name.utf8, to: &bytes, spaceAsPlus: true)
            bytes.append(UInt8(ascii: "="))
            PercentEncoding.append(value.utf8, to: &bytes, spaceAsPlus: true)
        }
    }
}

/// Makes the fields of requests from what is known.
private struct FieldMaker {
    let constants: TemplateConstants
    let request: String

    /// A text as pieces.
    func pieces(_ text: TemplateText) -> [RequestProgram.Piece] {
        text.segments.compactMap { segment in
            switch segment {
            case .literal(let literal): return .literal(literal)
            case .expression(let expression):
                switch constants.evaluate(expression) {
                case .value(let value): return .literal(value.text)
                case .nothing: return nil
                case .later: return .later(expression)
                }
            }
        }
    }

    func field(_ parameter: RequestForm.Parameter) -> RequestProgram.Field {
        RequestProgram.Field(
            name: parameter.name,
            value: pieces(parameter.value),
            omitsEmpty: parameter.omitsEmpty
        )
    }

    /// The fields of a form's body, which the template was checked to be a map of texts.
    func fields(of tree: BodyTree) -> [RequestProgram.Field] {
        var members: [BodyTree.Member] = []
        var omits = false
        switch tree {
        case .map(let own): members = own
        case .omitEmpty(.map(let own)):
            members = own
            omits = true
        default: break
        }
        return members.map { member in
            let value: TemplateText =
                switch member.value {
                case .text(let text): text
                case .boolean(let flag): TemplateText(literal: flag ? "true" : "false")
                case .integer(let number): TemplateText(literal: String(number))
                case .double(let number): TemplateText(literal: number.description)
                default: TemplateText(literal: "")
                }
            return RequestProgram.Field(
                name: constants.text(member.key),
                value: pieces(value),
                omitsEmpty: omits
            )
        }
    }

    /// The URL; values of placeholders are single segments, but for the host and a whole URL.
    func url(
        base: TemplateText,
        path: TemplateText
    ) throws(TemplateBindingError) -> [RequestProgram.Piece] {
        var pieces: [RequestProgram.Piece] = []
        var isInHost = true
        for segment in base.segments {
            switch segment {
            case .literal(let literal):
                pieces.append(.literal(literal))
                if literal.drop(prefix: "https://").contains("/") { isInHost = false }
            case .expression(let expression):
                let value = try known(expression)
                pieces.append(
                    .literal(isInHost ? value.trimmingSlash : PercentEncoding.segment(value))
                )
            }
        }
        for segment in path.segments {
            switch segment {
            case .literal(let literal): pieces.append(.literal(literal))
            case .expression(var expression):
                // Encoded once, whether the template asks for it or not.
                expression.filters.removeAll { $0 == .path }
                if case .later = constants.evaluate(expression) {
                    pieces.append(.later(expression))
                } else {
                    pieces.append(.literal(PercentEncoding.segment(try known(expression))))
                }
            }
        }
        return pieces
    }

    /// Refuses a URL elsewhere that would show secrets on the way there.
    func refusePlain(_ url: [RequestProgram.Piece]) throws(TemplateBindingError) {
        if case .literal(let start)? = url.first, start.hasPrefix("https://") { return }
        throw TemplateBindingError(problems: ["the URL of \(request) has to begin with https://"])
    }

    private func known(
        _ expression: TemplateText.Expression
    ) throws(TemplateBindingError) -> String {
        if case .value(let value) = constants.evaluate(expression), !value.text.isEmpty {
            return value.text
        }
        let missing =
            expression.settings.first.map { "settings.\($0) is missing" } ?? "a value is empty"
        throw TemplateBindingError(problems: ["\(missing): the URL of \(request) needs it"])
    }

    /// All headers, those of the request over those of the template.
    func headers(
        _ common: [RequestForm.Parameter],
        _ own: [RequestForm.Parameter],
        _ authentication: Authentication,
        type: String?
    ) throws(TemplateBindingError) -> [RequestProgram.Field] {
        var fields: [RequestProgram.Field] = []
        func put(_ field: RequestProgram.Field) {
            fields.removeAll { $0.name.lowercased() == field.name.lowercased() }
            fields.append(field)
        }
        for header in common + own { put(field(header)) }
        switch authentication {
        case .header(let name, let value):
            put(RequestProgram.Field(name: name, value: pieces(value), omitsEmpty: true))
        case .bearer(let token):
            put(.authorization([.literal("Bearer ")] + pieces(token)))
        case .basic(let user, let password):
            let pair = Array("\(constants.text(user)):\(constants.text(password))".utf8)
            put(.authorization([.literal("Basic " + Base64.encode(pair))]))
        case .none, .query, .body, .oauth2: break
        }
        if let type, !fields.contains(where: { $0.name.lowercased() == "content-type" }) {
            fields.append(
                RequestProgram.Field(
                    name: "Content-Type",
                    value: [.literal(type)],
                    omitsEmpty: true
                )
            )
        }
        for field in fields {
            for case .literal(let text) in field.value where Self.withoutControls(text) != text {
                throw TemplateBindingError(problems: [
                    "the header \(field.name) of \(request) would hold a line break or another control "
                        + "character: remove it from the cohort's name"
                ])
            }
        }
        return fields
    }

    /// A text as a header can carry it.
    static func withoutControls(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return text }
        return String(decoding: text.utf8.filter { $0 >= 0x20 && $0 != 0x7f }, as: UTF8.self)
    }
}

extension RequestProgram.Field {
    fileprivate static func authorization(_ value: [RequestProgram.Piece]) -> RequestProgram.Field {
        RequestProgram.Field(name: "Authorization", value: value, omitsEmpty: true)
    }
}

extension String {
    fileprivate func drop(prefix: String) -> Substring {
        hasPrefix(prefix) ? dropFirst(prefix.count) : self[...]
    }

    /// A URL that a path is put behind.
    fileprivate var trimmingSlash: String {
        hasSuffix("/") ? String(dropLast()) : self
    }
}
