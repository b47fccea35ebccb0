import Basics
import Events

// What events do to the properties of their users. Source: docs/cohorts.md, "Current property values".

extension Shard {
    /// Takes everything the event does to properties, in its order.
    mutating func assign(_ event: borrowing EventView, slot: UserSlot) {
        let time = event.time.milliseconds
        for assignment in event.assignments {
            switch assignment.operation {
            case .set: set(names.number(of: assignment.name), time, assignment.value, slot)
            case .unset: withNull { set(names.number(of: assignment.name), time, $0, slot) }
            case .setOnce: setOnce(names.number(of: assignment.name), time, assignment.value, slot)
            case .clearAll: clearAll(time, slot)
            case .sent:
                guard let name = names.sentNumber(of: assignment.name) else { continue }
                set(name, time, assignment.value, slot)
            case .add, .append, .prepend, .preInsert, .postInsert, .remove:
                operate(assignment, time, slot)
            }
        }
    }

    private mutating func set(_ name: UInt32, _ time: Int64, _ value: ValueView, _ slot: UserSlot) {
        let index = Int(slot)
        let outcome: PropertyLists.Outcome
        if seed(name, slot) == .beyondLimit {
            outcome = .beyondLimit
        } else if historicNames.contains(name) {
            outcome = propertyLists.insert(
                name,
                time,
                value,
                isOnce: false,
                into: &records[index].properties,
                floor: floor.milliseconds,
                keepsAll: true
            )
        } else {
            let sentCount = names.sentCount
            outcome = propertyLists.assign(
                name: name,
                time: time,
                value: value,
                to: &records[index].properties,
                floor: floor.milliseconds,
                namesMax: settings.propertiesPerUserMax,
                countsName: { $0 >= sentCount && $0 != PropertyNames.clearAll }
            )
        }
        if outcome == .beyondLimit { counters.ignoredProperties += 1 }
    }

    private mutating func setOnce(
        _ name: UInt32,
        _ time: Int64,
        _ value: ValueView,
        _ slot: UserSlot
    ) {
        if seed(name, slot) == .beyondLimit {
            counters.ignoredProperties += 1
            return
        }
        _ = propertyLists.insert(
            name,
            time,
            value,
            isOnce: true,
            into: &records[Int(slot)].properties,
            floor: floor.milliseconds,
            keepsAll: historicNames.contains(name)
        )
    }

    /// Unsets every property, those that are not there yet too: an assignment from before it may still come.
    private mutating func clearAll(_ time: Int64, _ slot: UserSlot) {
        let present = propertyLists.names(records[Int(slot)].properties)
        for name in present where names.isProperty(name) && name != PropertyNames.clearAll {
            withNull { set(name, time, $0, slot) }
        }
        withNull {
            _ = propertyLists.insert(
                PropertyNames.clearAll,
                time,
                $0,
                isOnce: false,
                into: &records[Int(slot)].properties,
                floor: floor.milliseconds,
                keepsAll: !historicNames.isEmpty
            )
        }
    }

    /// Gives a name that is new to the user the unsets of earlier `$clearAll`s, if there were any.
    private mutating func seed(_ name: UInt32, _ slot: UserSlot) -> PropertyLists.Outcome {
        let index = Int(slot)
        let row = records[index].properties
        guard names.isProperty(name), !propertyLists.contains(row, name: name) else {
            return .assigned
        }
        let sentCount = names.sentCount
        let count = propertyLists.nameCount(row) { $0 >= sentCount && $0 != PropertyNames.clearAll }
        if count >= settings.propertiesPerUserMax { return .beyondLimit }
        for time in propertyLists.times(row, name: PropertyNames.clearAll) {
            withNull {
                _ = propertyLists.insert(
                    name,
                    time,
                    $0,
                    isOnce: false,
                    into: &records[index].properties,
                    floor: floor.milliseconds,
                    keepsAll: historicNames.contains(name)
                )
            }
        }
        return .assigned
    }

    /// `$add` and its like: reads what decides now, also what lies ahead, and assigns the result at the later
    /// of its own time and that of what it read.
    private mutating func operate(_ assignment: Assignment, _ time: Int64, _ slot: UserSlot) {
        let name = names.number(of: assignment.name)
        if seed(name, slot) == .beyondLimit {
            counters.ignoredProperties += 1
            return
        }
        let current = propertyLists.decided(
            records[Int(slot)].properties,
            name: name,
            at: .distantFuture
        )
        var result = operationResult
        operationResult = []
        switch PropertyOperation.apply(
            assignment.operation,
            current: current.value,
            operand: assignment.value,
            into: &result
        )
        {
        case .written:
            let time = max(time, current.time)
            result.withByteView { set(name, time, ValueView($0), slot) }
        case .unchanged: break
        case .ignored: counters.ignoredOperations += 1
        }
        operationResult = result
    }
}

/// Lends an encoded null.
private func withNull<Result>(_ body: (ValueView) -> Result) -> Result {
    var tag = ValueKind.null.rawValue
    return withUnsafePointer(to: &tag) { body(ValueView(ByteView(base: $0, count: 1))) }
}
