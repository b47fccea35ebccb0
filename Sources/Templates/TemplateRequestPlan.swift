import Basics

/// The requests of a batch, made one by one.
///
/// - A request holds at most `batch.max_items` users or ids and `batch.max_bytes` bytes of body.
/// - Every change is in exactly one request, or among ``leftOut``.
package struct TemplateRequestPlan {
    /// A change that no request can carry.
    package struct LeftOut: Equatable, Sendable {
        /// Its place in the list.
        package var change: Int
        /// Why.
        package var reason: MappingRefusal
    }

    /// The changes that no request carries, as far as the plan has come; all behind the last request.
    package private(set) var leftOut: [LeftOut] = []

    private let changes: ChangeList
    private let rule: BatchRule
    private let program: (_ isEntering: Bool) -> RequestProgram?
    private var position: Int
    private let end: Int
    private var context: RequestContext
    private var items: [[UInt8]] = []
    private var scratch: [Int] = []

    init(
        changes: ChangeList,
        range: Range<Int>,
        rule: BatchRule,
        batch: BatchContext,
        replace: ReplaceContext?,
        lookupKeys: [String]? = nil,
        program: @escaping (_ isEntering: Bool) -> RequestProgram?
    ) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= changes.count,
            "changes \(range) of \(changes.count)"
        )
        self.changes = changes
        self.rule = rule
        self.program = program
        position = range.lowerBound
        end = range.upperBound
        context = RequestContext(batch: batch, replace: replace, page: replace?.firstPage ?? 1)
        context.lookupKeys = lookupKeys
    }

    /// The next request; nil behind the last.
    ///
    /// - Complexity: O(bytes of the request).
    package mutating func next() -> TemplateRequest? {
        while position < end {
            let isEntering = changes.isEntering(position)
            guard let program = program(isEntering) else {
                // Nobody plans exits for a list that is made or replaced.
                preconditionFailure("change \(position) leaves, and the request takes only enters")
            }
            context.isLastPage = false
            let carried =
                program.lists.isEmpty
                ? takeOne() : takeBatch(program, isEntering: isEntering)
            if carried.isEmpty { continue }
            context.isLastPage = (context.replace?.isFinal ?? false) && position == end
            guard program.lists.isEmpty else {
                defer { context.page += 1 }
                return program.request(context, user: nil, items: items, changes: carried)
            }
            let direction = changes.isEntering(carried[0])
            let request = changes.withRow(carried[0]) { row in
                program.request(
                    context,
                    user: UserAtHand(row: row, isEntering: direction),
                    items: [],
                    changes: carried
                )
            }
            if let bytesMax = rule.bytesMax, request.body.count > bytesMax {
                leftOut.append(LeftOut(change: carried[0], reason: .tooLong))
                continue
            }
            context.page += 1
            return request
        }
        return nil
    }

    private mutating func takeOne() -> [Int] {
        position += 1
        return [position - 1]
    }

    /// Renders the items of as many changes as fit.
    private mutating func takeBatch(_ program: RequestProgram, isEntering: Bool) -> [Int] {
        items = Array(repeating: [], count: program.lists.count)
        if let bytesMax = rule.bytesMax {
            for index in items.indices { items[index].reserveCapacity(min(bytesMax, 1 << 20)) }
        }
        var carried: [Int] = []
        carried.reserveCapacity(min(rule.itemsMax, end - position))
        var input = program.input(context, nil)
        let fixedByteCount = rule.bytesMax == nil ? 0 : program.fixedByteCount(context)
        var itemCount = 0
        while position < end {
            let direction = changes.isEntering(position)
            if direction != isEntering, !rule.mixes { break }
            if rule.count == .users, carried.count == rule.itemsMax { break }
            scratch.removeAll(keepingCapacity: true)
            for list in items { scratch.append(list.count) }
            let added = render(program, &input, direction)
            let byteCount = fixedByteCount + items.reduce(0) { $0 + $1.count }
            let isOverfull =
                (rule.count == .ids && itemCount + added > rule.itemsMax)
                || rule.bytesMax.map { byteCount > $0 } ?? false
            if isOverfull {
                for index in items.indices {
                    items[index].removeLast(items[index].count - scratch[index])
                }
                guard carried.isEmpty else { break }
                leftOut.append(LeftOut(change: position, reason: .tooLong))
            } else if added == 0 {
                leftOut.append(LeftOut(change: position, reason: .noValue))
            } else {
                itemCount += added
                carried.append(position)
            }
            position += 1
        }
        return carried
    }

    /// Appends the items of the change at hand, and says how many there are.
    private mutating func render(
        _ program: RequestProgram,
        _ input: inout BodyInput,
        _ isEntering: Bool
    ) -> Int {
        var added = 0
        for (index, list) in program.lists.enumerated()
        where list.selection.takes(isEntering: isEntering) {
            let start = items[index].count
            changes.withRow(position) { row in
                input.user = UserAtHand(row: row, isEntering: isEntering)
                (isEntering ? list.entering : list.leaving).run(input, into: &items[index])
            }
            if EmptyValue.matches(items[index][start...]) {
                items[index].removeLast(items[index].count - start)
            } else {
                items[index].append(UInt8(ascii: ","))
                added += 1
            }
        }
        return added
    }
}
