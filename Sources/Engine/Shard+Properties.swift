import Basics
import Events

// What events do to the properties of their users. Source: docs/cohorts.md, "Current property values".

extension Shard {
    /// Takes everything the event does to properties, in its order.
    mutating func assign(_ event: borrowing StagedEvents.Event, slot: UserSlot) {
        let moment = Moment(
            time: event.time.milliseconds,
            waits: event.kind == .identify && settings.identifyWaits
        )
        for place in event.assignments.range {
            let assignment = staged.assignments[place]
            let name = assignment.name
            switch assignment.operation {
            case .set, .sent: set(name, moment, staged.value(assignment), slot)
            case .unset: withNull { set(name, moment, $0, slot) }
            case .setOnce: setOnce(name, moment, staged.value(assignment), slot)
            case .clearAll: clearAll(moment, slot)
            case .add, .append, .prepend, .preInsert, .postInsert, .remove:
                operate(assignment, moment, slot)
            }
        }
    }

    /// Notes when a user had an event, and shows what waited for it.
    ///
    /// Nothing ever waits but with `identify: next_event`.
    mutating func noteEvent(at time: EventTime, slot: UserSlot) {
        guard settings.identifyWaits else { return }
        if users[slot].properties.awaitsEvent {
            touch(slot, for: evaluator.feeds.properties)
        }
        eventTimes.note(time.milliseconds, slot: slot, floor: floor.milliseconds)
        propertyLists.show(
            &users[slot].properties,
            at: time.milliseconds,
            floor: floor.milliseconds
        )
    }

    /// When an assignment takes its place.
    private struct Moment {
        var time: Int64
        /// Whether it shows only from the user's next event on.
        var waits: Bool
    }

    /// From when on what is assigned at a moment shows; nil where nothing is to be waited for.
    private func deferral(_ moment: Moment, _ slot: UserSlot) -> Int64? {
        guard moment.waits else { return nil }
        let next = eventTimes.next(from: moment.time, slot: slot)
        return next == moment.time ? nil : next
    }

    private mutating func set(
        _ name: UInt32,
        _ moment: Moment,
        _ value: ValueView,
        _ slot: UserSlot
    ) {
        let outcome: PropertyLists.Outcome
        let keepsAll = !historicNames.isEmpty && historicNames.contains(name)
        if !keepsAll, !moment.waits,
            propertyLists.repeats(
                name,
                moment.time,
                value,
                in: users[slot].properties,
                floor: floor.milliseconds
            )
        {
            return
        }
        if seed(name, slot) == .beyondLimit {
            outcome = .beyondLimit
        } else if keepsAll || moment.waits {
            outcome = propertyLists.insert(
                name,
                moment.time,
                value,
                isOnce: false,
                showsFrom: deferral(moment, slot),
                into: &users[slot].properties,
                floor: floor.milliseconds,
                keepsAll: keepsAll
            )
        } else {
            let sentCount = names.sentCount
            outcome = propertyLists.assign(
                name: name,
                time: moment.time,
                value: value,
                to: &users[slot].properties,
                floor: floor.milliseconds,
                namesMax: settings.propertiesPerUserMax,
                countsName: { $0 >= sentCount && $0 != PropertyNames.clearAll }
            )
        }
        switch outcome {
        case .assigned: noteAssigned(name, slot)
        case .beyondLimit: counters.ignoredProperties += 1
        case .repeated, .superseded: break
        }
    }

    /// Conditions look at few names; an assignment to another changes none.
    private mutating func noteAssigned(_ name: UInt32, _ slot: UserSlot) {
        for word in 0..<evaluator.feeds.words {
            let conditions = evaluator.conditions(reading: name, word: word)
            touch(slot, for: conditions, word: word, evenSettled: true)
        }
    }

    private mutating func setOnce(
        _ name: UInt32,
        _ moment: Moment,
        _ value: ValueView,
        _ slot: UserSlot
    ) {
        if seed(name, slot) == .beyondLimit {
            counters.ignoredProperties += 1
            return
        }
        _ = propertyLists.insert(
            name,
            moment.time,
            value,
            isOnce: true,
            showsFrom: deferral(moment, slot),
            into: &users[slot].properties,
            floor: floor.milliseconds,
            keepsAll: historicNames.contains(name)
        )
        noteAssigned(name, slot)
    }

    /// Unsets every property, those that are not there yet too: an assignment from before it may still come.
    private mutating func clearAll(_ moment: Moment, _ slot: UserSlot) {
        let present = propertyLists.names(users[slot].properties)
        for name in present where names.isProperty(name) && name != PropertyNames.clearAll {
            withNull { set(name, moment, $0, slot) }
        }
        withNull {
            _ = propertyLists.insert(
                PropertyNames.clearAll,
                moment.time,
                $0,
                isOnce: false,
                showsFrom: deferral(moment, slot),
                into: &users[slot].properties,
                floor: floor.milliseconds,
                keepsAll: !historicNames.isEmpty
            )
        }
        touch(slot, for: evaluator.feeds.properties)
    }

    /// Gives a name that is new to the user the unsets of earlier `$clearAll`s, if there were any.
    private mutating func seed(_ name: UInt32, _ slot: UserSlot) -> PropertyLists.Outcome {
        let row = users[slot].properties
        guard names.isProperty(name), !propertyLists.contains(row, name: name) else {
            return .assigned
        }
        let sentCount = names.sentCount
        let count = propertyLists.nameCount(row) { $0 >= sentCount && $0 != PropertyNames.clearAll }
        if count >= settings.propertiesPerUserMax { return .beyondLimit }
        for (time, deferredTo) in propertyLists.times(row, name: PropertyNames.clearAll) {
            withNull {
                _ = propertyLists.insert(
                    name,
                    time,
                    $0,
                    isOnce: false,
                    showsFrom: deferredTo,
                    into: &users[slot].properties,
                    floor: floor.milliseconds,
                    keepsAll: historicNames.contains(name)
                )
            }
        }
        return .assigned
    }

    /// `$add` and its like: reads what decides now, also what lies ahead or waits for an event, and assigns the
    /// result at the later of its own time and that of what it read.
    ///
    /// A result that stands at the time of something that waits for an event waits with it.
    private mutating func operate(
        _ assignment: StagedEvents.StagedAssignment,
        _ moment: Moment,
        _ slot: UserSlot
    ) {
        let name = assignment.name
        if seed(name, slot) == .beyondLimit {
            counters.ignoredProperties += 1
            return
        }
        let current = propertyLists.decided(
            users[slot].properties,
            name: name,
            at: .distantFuture
        )
        var result = operationResult
        operationResult = []
        switch PropertyOperation.apply(
            assignment.operation,
            current: current.value,
            operand: staged.value(assignment),
            into: &result
        )
        {
        case .written:
            var moment = moment
            if current.time > moment.time {
                moment = Moment(time: current.time, waits: moment.waits || current.isDeferred)
            }
            result.withByteView { set(name, moment, ValueView($0), slot) }
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
