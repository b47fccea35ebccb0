import Basics
import CSimdJSON

/// A decoded record, as the C face gives it.
typealias DecodedRecord = UnsafePointer<cohortd_json_record>

/// The memory of what a decoder gives out beside the record itself.
struct ExtractionScratch: ~Copyable {
    /// The latest event.
    let fields: UnsafeMutablePointer<EventFields>
    private let eventValues: UnsafeMutableBufferPointer<ValueView>
    private let userValues: UnsafeMutableBufferPointer<ValueView>
    /// `device:` and a device id.
    private let userID: UnsafeMutableBufferPointer<UInt8>
    /// The names that an event sends at its top level, one behind the other, and where each lies there.
    private let sentBytes: UnsafeMutableBufferPointer<UInt8>
    private let sentNames: UnsafeMutableBufferPointer<ByteView>
    private var assignments: UnsafeMutableBufferPointer<Assignment>
    /// Whether values are there that the next event must not see.
    private var eventValuesAreSet = false
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
        sentNames = .allocate(capacity: names.count)
        var end = 0
        for (place, name) in names.enumerated() {
            let start = end
            for byte in name.utf8 {
                sentBytes[end] = byte
                end += 1
            }
            sentNames.initializeElement(
                at: place,
                to: ByteView(
                    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(sentBytes)[start..<end])
                )
            )
        }
        assignments = .allocate(capacity: 64)
        fields = .allocate(capacity: 1)
        fields.initialize(
            to: EventFields(
                eventProperties: UnsafeBufferPointer(eventValues),
                userProperties: UnsafeBufferPointer(userValues)
            )
        )
    }

    deinit {
        eventValues.deallocate()
        userValues.deallocate()
        userID.deallocate()
        sentBytes.deallocate()
        sentNames.deallocate()
        assignments.deallocate()
        fields.deallocate()
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

    /// The event whose other fields are filled in, with what the record says of properties.
    mutating func event(
        of record: DecodedRecord,
        _ names: borrowing ExtractionIndex
    ) -> EventView {
        fillEventValues(record, names)
        fillUserValues(record, names)
        fields.pointee.assignments = assignments(of: record)
        fields.pointee.ignoredOperations = record.pointee.event.ignored_operations
        return EventView(fields)
    }

    /// Fills in the wanted event properties of one event.
    private mutating func fillEventValues(
        _ record: DecodedRecord,
        _ names: borrowing ExtractionIndex
    ) {
        if eventValuesAreSet { eventValues.update(repeating: .missing) }
        eventValuesAreSet = false
        let found = record.pointee.event.event_values
        if found.found_count > 0 {
            eventValuesAreSet = true
            for place in 0..<found.found_count {
                let head = Int(found.found[place])
                let wanted = names.event.wantedOfHead[head]
                if wanted >= 0 { eventValues[wanted] = ValueView(ByteView(found.values[head])) }
            }
            for name in names.event.dotted {
                eventValues[name.wanted] = name.path.lookUp(
                    asItStands: ValueView(ByteView(found.values[name.whole])),
                    underHead: ValueView(ByteView(found.values[name.head]))
                )
            }
        }
        guard record.pointee.event.top_values.found_count > 0 else { return }
        // No name of the top level has a dot.
        for name in names.eventFallbacks where eventValues[name.wanted].isMissingOrNull {
            if let base = record.pointee.event.top_values.values[name.top].base {
                let count = record.pointee.event.top_values.values[name.top].count
                eventValues[name.wanted] = ValueView(ByteView(base: base, count: count))
                eventValuesAreSet = true
            }
        }
    }

    /// Fills in the wanted user properties that one event carries: of `$set`, else plain, else sent.
    private mutating func fillUserValues(
        _ record: DecodedRecord,
        _ names: borrowing ExtractionIndex
    ) {
        if userValuesAreSet { userValues.update(repeating: .missing) }
        userValuesAreSet = false
        let set = record.pointee.event.set_values
        let plain = record.pointee.event.plain_values
        if set.found_count + plain.found_count > 0 {
            userValuesAreSet = true
            fillUserValues(set, plain, names)
        }
        guard record.pointee.event.top_values.found_count > 0 else { return }
        for name in names.userFallbacks where userValues[name.wanted].isMissingOrNull {
            if let base = record.pointee.event.top_values.values[name.top].base {
                let count = record.pointee.event.top_values.values[name.top].count
                userValues[name.wanted] = ValueView(ByteView(base: base, count: count))
                userValuesAreSet = true
            } else if userValuesAreSet {
                // Here a null is nothing.
                userValues[name.wanted] = .missing
            }
        }
    }

    private func fillUserValues(
        _ set: cohortd_json_found,
        _ plain: cohortd_json_found,
        _ names: borrowing ExtractionIndex
    ) {
        for place in 0..<plain.found_count {
            let head = Int(plain.found[place])
            let wanted = names.user.wantedOfHead[head]
            if wanted >= 0 { userValues[wanted] = ValueView(ByteView(plain.values[head])) }
        }
        for place in 0..<set.found_count {
            let head = Int(set.found[place])
            let wanted = names.user.wantedOfHead[head]
            let value = ValueView(ByteView(set.values[head]))
            if wanted >= 0, !value.isMissingOrNull { userValues[wanted] = value }
        }
        // `$set` wins name by name; what is left is one map, in which a dotted name is looked up.
        func carried(_ head: Int) -> ValueView {
            let value = ValueView(ByteView(set.values[head]))
            return value.isMissingOrNull ? ValueView(ByteView(plain.values[head])) : value
        }
        for name in names.user.dotted {
            userValues[name.wanted] = name.path.lookUp(
                asItStands: carried(name.whole),
                underHead: carried(name.head)
            )
        }
    }

    /// Everything one event does to its user, in the order of ``EventView/assignments``: of plain keys and
    /// `$set` the latter so wins.
    private mutating func assignments(of record: DecodedRecord) -> UnsafeBufferPointer<Assignment> {
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
        if plainCount + setCount > 0 {
            let plain = record.pointee.event.plain
            append(cohortd_json_members(members: plain, count: plainCount), as: .set, &count)
            let set = record.pointee.event.set
            append(cohortd_json_members(members: set, count: setCount), as: .set, &count)
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
        return UnsafeBufferPointer(start: assignments.baseAddress, count: count)
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
