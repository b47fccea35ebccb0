/// What a user's events did to the user's properties, in log order.
struct OracleAssignments {
    /// What one of them does.
    enum Kind {
        case set(OracleValue)
        case once(OracleValue)
        case unset
    }

    /// One of them.
    struct Entry {
        /// nil = every property.
        var name: String?
        var time: Int64
        var arrival: Int64
        var kind: Kind
    }

    /// The keys of user properties that are no properties.
    static let operations = [
        "$set", "$setOnce", "$add", "$append", "$prepend", "$unset", "$preInsert", "$postInsert",
        "$remove", "$clearAll",
    ]

    private(set) var entries: [Entry] = []
    private let mistake: Oracle.Mistake

    /// Takes the operations of all events, which stand in log order.
    init(_ events: [OracleEvent], mistake: Oracle.Mistake) {
        self.mistake = mistake
        for event in events { take(event) }
    }

    private mutating func take(_ event: OracleEvent) {
        let given = event.line.userProperties ?? []
        func add(_ name: String?, _ kind: Kind) {
            entries.append(Entry(name: name, time: event.time, arrival: event.arrival, kind: kind))
        }
        func members(_ operation: String) -> [OracleMember] { given.members(of: operation) }
        func assign(_ member: OracleMember) {
            add(member.name, member.value.isNull ? .unset : .set(member.value))
        }
        if given.contains(where: { $0.name == "$clearAll" }) { add(nil, .unset) }
        for member in members("$unset") { add(member.name, .unset) }
        if case .array(let names) = given.notNull("$unset") {
            for case .text(let name) in names { add(name, .unset) }
        }
        for member in members("$setOnce") { add(member.name, .once(member.value)) }
        given.filter { !Self.operations.contains($0.name) }.forEach(assign)
        members("$set").forEach(assign)
        for operation in [
            "$add", "$append", "$prepend", "$preInsert", "$postInsert", "$remove",
        ] {
            for member in members(operation) { operate(operation, member, event) }
        }
    }

    /// Reads what decides now and assigns what comes of it.
    private mutating func operate(
        _ operation: String,
        _ member: OracleMember,
        _ event: OracleEvent
    ) {
        let read = decided(member.name) { _ in true }
        guard let value = Self.result(operation, of: read.value, member.value) else { return }
        let later =
            mistake == .operationAtItsOwnTime
            ? event.time : max(event.time, read.time ?? event.time)
        entries.append(
            Entry(name: member.name, time: later, arrival: event.arrival, kind: .set(value))
        )
    }

    private static func result(
        _ operation: String,
        of current: OracleValue?,
        _ operand: OracleValue
    ) -> OracleValue? {
        if operation == "$add" {
            guard let left = current == nil ? .exact(0) : current?.number,
                let right = operand.number
            else { return nil }
            return left.adding(right).map { .number($0.literal) }
        }
        if current == nil, operation == "$remove" { return nil }
        let list = current.map(elements) ?? []
        let new = elements(operand)
        var fresh: [OracleValue] = []
        for value in new where !(list + fresh).contains(where: { isSame($0, value) }) {
            fresh.append(value)
        }
        return switch operation {
        case "$append": .array(list + new)
        case "$prepend": .array(new + list)
        case "$preInsert": .array(fresh + list)
        case "$postInsert": .array(list + fresh)
        default: .array(list.filter { value in !new.contains { isSame($0, value) } })
        }
    }

    private static func elements(_ value: OracleValue) -> [OracleValue] {
        if case .array(let elements) = value { elements } else { [value] }
    }

    /// Operands have scalars and null only, so nothing else can be the same.
    private static func isSame(_ left: OracleValue, _ right: OracleValue) -> Bool {
        if left.isNull || right.isNull { return left.isNull && right.isNull }
        guard let left = left.canonical, let right = right.canonical else { return false }
        return left == right
    }

    /// The value in force among some of the assignments, nil = missing, and when it came about.
    func decided(
        _ name: String,
        among counts: (Entry) -> Bool
    ) -> (value: OracleValue?, time: Int64?) {
        var own: [Entry] = []
        for entry in entries where counts(entry) && (entry.name.map { sameBytes($0, name) } ?? true)
        {
            // Ascending by time, ties in log order.
            let place =
                switch mistake {
                case .newestByLogOrder: own.count
                case .tiesByTheFirst: own.firstIndex { $0.time >= entry.time } ?? own.count
                default: own.firstIndex { $0.time > entry.time } ?? own.count
                }
            own.insert(entry, at: place)
        }
        let newest = own.lastIndex { if case .once = $0.kind { false } else { true } }
        if let newest, case .set(let value) = own[newest].kind { return (value, own[newest].time) }
        let after = own[(newest.map { $0 + 1 } ?? 0)...]
        for entry in after {
            if case .once(let value) = entry.kind { return (value, entry.time) }
        }
        return (nil, newest.map { own[$0].time })
    }
}

extension [OracleMember] {
    /// The members of the object under a name; none where it is none.
    func members(of name: String) -> [OracleMember] {
        if case .object(let members) = notNull(name) { members } else { [] }
    }
}

extension OracleNumber {
    /// A text that reads back as the same kind of number.
    fileprivate var literal: String {
        if case .nearest = self, !canonical.contains(".") { canonical + ".0" } else { canonical }
    }

    /// The sum, exact where both and it are integers; nil where it is beyond a double.
    func adding(_ other: OracleNumber) -> OracleNumber? {
        if case .exact(let left) = self, case .exact(let right) = other {
            let (sum, overflow) = left.addingReportingOverflow(right)
            if !overflow { return .exact(sum) }
        }
        let sum = double + other.double
        return sum.isFinite ? .nearest(sum) : nil
    }
}
