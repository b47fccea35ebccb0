package import Basics

/// What the requests of one batch have in common.
package struct BatchContext: Sendable, Equatable {
    /// Stands for the batch and its repetitions.
    package var id: String
    /// The tick that the changes are of.
    package var tick: EventTime

    /// A context from its parts.
    package init(id: String, tick: EventTime) {
        self.id = id
        self.tick = tick
    }
}

/// Which part of a full sync some changes are.
package struct ReplaceContext: Sendable, Equatable {
    /// The same for all pages of one full sync.
    package var session: UInt64
    /// How many users the list will have.
    package var total: Int
    /// The number of the first page to be rendered, counted from 1.
    package var firstPage: Int
    /// Whether the last of the changes is the last user of the list.
    package var isFinal: Bool

    /// A context from its parts.
    package init(session: UInt64, total: Int, firstPage: Int, isFinal: Bool) {
        self.session = session
        self.total = total
        self.firstPage = firstPage
        self.isFinal = isFinal
    }
}

/// What placeholders stand for in one request.
struct RequestContext {
    var batch: BatchContext?
    var replace: ReplaceContext?
    var page = 1
    var isLastPage = false
    var lookupKeys: [String]?
    var jobID: String?

    /// The value of a placeholder that is known with the request; nil for those of a user.
    func value(of placeholder: Placeholder) -> TemplateValue? {
        switch placeholder {
        case .batchID: batch.map { .text($0.id) }
        case .tick: batch.map { .instant($0.tick) }
        case .pageIndex: .integer(Int64(page))
        case .pageIsLast: .boolean(isLastPage)
        case .session: replace.map { .unsigned($0.session) }
        case .jobID: jobID.map { .text($0) }
        case .lookupKeys: lookupKeys.map { .texts($0) }
        case .total: replace.map { .integer(Int64($0.total)) }
        default: nil
        }
    }
}

/// One user as programs see them: the mapped row and the direction.
struct UserAtHand {
    var row: ByteView
    var isEntering: Bool

    /// The value of a placeholder of a user; nil for an empty cell and for all others.
    func value(of placeholder: Placeholder, cellCount: Int) -> TemplateValue? {
        switch placeholder {
        case .cell(let index):
            let cell = MappedRow.cell(index, of: row)
            return cell.isEmpty ? nil : .text(cell.string)
        case .row: return .texts((0..<cellCount).map { MappedRow.cell($0, of: row).string })
        case .entering: return .boolean(isEntering)
        default: return nil
        }
    }
}
