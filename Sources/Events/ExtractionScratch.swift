import Basics
import CSimdJSON

/// A decoded record, as the C face gives it.
typealias DecodedRecord = UnsafePointer<cohortd_json_record>

/// The memory of what a decoder gives out beside the record itself.
struct ExtractionScratch: ~Copyable {
    let eventValues: UnsafeMutableBufferPointer<ValueView>
    let userValues: UnsafeMutableBufferPointer<ValueView>
    /// `device:` and a device id.
    private let userID: UnsafeMutableBufferPointer<UInt8>
    /// The names that an event sends at its top level, one behind the other, and where each lies there.
    private let sentBytes: UnsafeMutableBufferPointer<UInt8>
    private let sentNames: [ByteView]
    private var assignments: UnsafeMutableBufferPointer<Assignment>
    /// Whether a user value is there that the next event must not see.
    private var userValuesAreSet = false

    private static let devicePrefix: StaticString = "device:"

    init(_ extraction: Extraction) {
        eventValues = .allocate(capacity: extraction.eventProperties.count)
        userValues = .allocate(capacity: extraction.userProperties.count)
        eventValues.initialize(repeating: .missing)
        userValues.initialize(repeating: .missing)
        let prefix = Self.devicePrefix.utf8CodeUnitCount
        userID = .allocate(capacity: prefix + EventDecoder.idBytesMax)
        userID.initialize(repeating: 0)
        for place in 0..<prefix { userID[place] = Self.devicePrefix.utf8Start[place] }
        let names = Extraction.topLevelUserNames
        sentBytes = .allocate(capacity: names.reduce(1) { $0 + $1.utf8.count })
        sentBytes.initialize(repeating: 0)
        var views: [ByteView] = []
        var end = 0
        for name in names {
            let start = end
            for byte in name.utf8 {
                sentBytes[end] = byte
                end += 1
            }
            views.append(
                ByteView(
                    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(sentBytes)[start..<end])
                )
            )
        }
        sentNames = views
        assignments = .allocate(capacity: 64)
    }

    deinit {
        eventValues.deallocate()
        userValues.deallocate()
        userID.deallocate()
        sentBytes.deallocate()
        assignments.deallocate()
    }

    /// The user of an event that names only a device.
    func user(ofDevice device: ByteView) -> ByteView {
        let prefix = Self.devicePrefix.utf8CodeUnitCount
        precondition(device.count <= userID.count - prefix, "a device id of \(device.count) bytes")
        for place in 0..<device.count { userID[prefix + place] = device.base[place] }
        return ByteView(
            UnsafeRawBufferPointer(
                rebasing: UnsafeRawBufferPointer(userID)[0..<prefix + device.count]
            )
        )
    }

    /// Fills in the wanted event properties of one event.
    func fillEventValues(_ record: DecodedRecord, _ names: borrowing ExtractionIndex) {
        guard !eventValues.isEmpty else { return }
        eventValues.update(repeating: .missing)
        let found = record.pointee.event.event_values
        for place in 0..<found.found_count {
            let head = Int(found.found[place])
            let wanted = names.event.wantedOfHead[head]
            if wanted >= 0 { eventValues[wanted] = ValueView(ByteView(found.values[head])) }
        }
        for name in names.eventFallbacks where eventValues[name.wanted].isMissingOrNull {
            let value = ByteView(record.pointee.event.top_values.values[name.top])
            if !value.isEmpty { eventValues[name.wanted] = ValueView(value) }
        }
        for name in names.event.dotted {
            eventValues[name.wanted] = Self.lookUp(name, in: found)
        }
    }

    /// Fills in the wanted user properties that one event carries: of `$set`, else plain, else sent.
    mutating func fillUserValues(_ record: DecodedRecord, _ names: borrowing ExtractionIndex) {
        if userValuesAreSet { userValues.update(repeating: .missing) }
        userValuesAreSet = false
        guard !userValues.isEmpty else { return }
        let set = record.pointee.event.set_values
        let plain = record.pointee.event.plain_values
        let top = record.pointee.event.top_values
        guard set.found_count + plain.found_count + top.found_count > 0 else { return }
        userValuesAreSet = true
        func carried(_ head: Int) -> ValueView {
            let value = ValueView(ByteView(set.values[head]))
            return value.isMissingOrNull ? ValueView(ByteView(plain.values[head])) : value
        }
        for name in names.user.plain {
            var value = carried(name.head)
            if value.isMissingOrNull, name.top >= 0 {
                value = ValueView(ByteView(top.values[name.top]))
            }
            userValues[name.wanted] = value
        }
        // `$set` wins name by name; what is left is one map, in which a dotted name is looked up.
        for name in names.user.dotted {
            userValues[name.wanted] = name.path.lookUp(
                asItStands: carried(name.whole),
                underHead: carried(name.head)
            )
        }
    }

    private static func lookUp(
        _ name: ExtractionIndex.Dotted,
        in found: cohortd_json_found
    ) -> ValueView {
        name.path.lookUp(
            asItStands: ValueView(ByteView(found.values[name.whole])),
            underHead: ValueView(ByteView(found.values[name.head]))
        )
    }

    /// Everything one event does to its user, in the order of ``EventView/assignments``: of plain keys and
    /// `$set` the latter so wins.
    mutating func assignments(of record: DecodedRecord) -> UnsafeBufferPointer<Assignment> {
        let plainCount = record.pointee.event.plain_count
        let setCount = record.pointee.event.set_count
        let top = record.pointee.event.top_values
        let operationCount = record.pointee.event.operation_count
        let most = plainCount + setCount + top.found_count + operationCount
        if most > assignments.count {
            assignments.deallocate()
            assignments = .allocate(capacity: 2 * most)
        }
        var count = 0
        if operationCount > 0 {
            for (operation, kind) in Self.operationsBeforeSet {
                append(record.pointee.event.operations[operation], as: kind, &count)
            }
        }
        for place in 0..<plainCount {
            assignments.initializeElement(
                at: count,
                to: Assignment(record.pointee.event.plain[place])
            )
            count += 1
        }
        for place in 0..<setCount {
            assignments.initializeElement(
                at: count,
                to: Assignment(record.pointee.event.set[place])
            )
            count += 1
        }
        if operationCount > 0 {
            for (operation, kind) in Self.operationsBehindSet {
                append(record.pointee.event.operations[operation], as: kind, &count)
            }
        }
        for place in 0..<top.found_count {
            let name = Int(top.found[place])
            guard name < sentNames.count else { continue }
            let value = ValueView(ByteView(top.values[name]))
            guard !value.isMissingOrNull else { continue }
            assignments.initializeElement(
                at: count,
                to: Assignment(operation: .sent, name: sentNames[name], value: value)
            )
            count += 1
        }
        return UnsafeBufferPointer(rebasing: assignments[0..<count])
    }

    private static let operationsBeforeSet: [(Int, Assignment.Operation)] = [
        (Int(COHORTD_JSON_CLEAR_ALL.rawValue), .clearAll),
        (Int(COHORTD_JSON_UNSET.rawValue), .unset),
        (Int(COHORTD_JSON_SET_ONCE.rawValue), .setOnce),
    ]

    private static let operationsBehindSet: [(Int, Assignment.Operation)] = [
        (Int(COHORTD_JSON_ADD.rawValue), .add),
        (Int(COHORTD_JSON_APPEND.rawValue), .append),
        (Int(COHORTD_JSON_PREPEND.rawValue), .prepend),
        (Int(COHORTD_JSON_PRE_INSERT.rawValue), .preInsert),
        (Int(COHORTD_JSON_POST_INSERT.rawValue), .postInsert),
        (Int(COHORTD_JSON_REMOVE.rawValue), .remove),
    ]

    private func append(
        _ members: cohortd_json_members,
        as operation: Assignment.Operation,
        _ count: inout Int
    ) {
        for place in 0..<members.count {
            assignments.initializeElement(
                at: count,
                to: Assignment(members.members[place], operation)
            )
            count += 1
        }
    }
}

extension Assignment {
    fileprivate init(_ member: cohortd_json_member, _ operation: Operation = .set) {
        self.init(
            operation: operation,
            name: ByteView(member.name),
            value: ValueView(ByteView(member.value))
        )
    }
}
