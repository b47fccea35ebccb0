import Basics

/// A user who waits for an operation; stale unless the ledger's entry bears the same ticket.
struct WaitingUser: Sendable {
    var slot: UInt32
    var ticket: UInt32
    var age: Age
}

/// First in, first out; memory is given back as the front moves on.
struct WaitingQueue: Sendable {
    private var items: [WaitingUser] = []
    private var head = 0
    /// At this length stale elements are dropped, so that users who come and go during an outage cost
    /// no more than users who wait.
    private(set) var compactAt = 64

    var count: Int { items.count - head }
    var first: WaitingUser? { head < items.count ? items[head] : nil }
    var all: ArraySlice<WaitingUser> { items[head...] }

    mutating func append(_ user: WaitingUser) {
        items.append(user)
    }

    mutating func removeFirst() {
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: items.count <= 1024)
            head = 0
        } else if head > 1024, head > items.count / 2 {
            items.removeFirst(head)
            head = 0
        }
    }

    /// Drops what is stale.
    ///
    /// Complexity: O(count), paid for by the appends since the last time.
    mutating func compact(_ ledger: Ledger) {
        items = items[head...].filter { ledger[$0.slot].ticket == $0.ticket }
        head = 0
        compactAt = max(64, 2 * items.count)
    }
}

/// The users of one partition who wait for one operation, the oldest of each kind first.
struct Lane: Sendable {
    /// Which users of a lane are meant.
    enum Kind: CaseIterable {
        /// Those whom an event moved: they come first.
        case live
        /// Those who are sent with everybody: a share of every batch is theirs.
        case backfill
    }

    /// Those who waited before, in a batch that did not go through or for an outcome to settle.
    private(set) var returned = WaitingQueue()
    private(set) var fresh = WaitingQueue()
    private(set) var backfill = WaitingQueue()

    var all: [ArraySlice<WaitingUser>] { [returned.all, fresh.all, backfill.all] }

    mutating func append(_ user: WaitingUser, returned again: Bool, _ ledger: Ledger) {
        if user.age.isBackfill {
            Self.append(user, to: &backfill, ledger)
        } else if again {
            Self.append(user, to: &returned, ledger)
        } else {
            Self.append(user, to: &fresh, ledger)
        }
    }

    private static func append(
        _ user: WaitingUser,
        to queue: inout WaitingQueue,
        _ ledger: Ledger
    ) {
        queue.append(user)
        if queue.count >= queue.compactAt { queue.compact(ledger) }
    }

    /// The next user who still waits, since `newest` or longer; stale ones before it are dropped.
    mutating func next(_ kind: Kind, upTo newest: EventTime, _ ledger: Ledger) -> WaitingUser? {
        while let (queue, user) = first(kind, upTo: newest) {
            if ledger[user.slot].ticket == user.ticket { return user }
            removeFirst(queue)
        }
        return nil
    }

    /// Takes the user off whom `next` gave.
    mutating func removeFirst(_ kind: Kind, upTo newest: EventTime) {
        if let (queue, _) = first(kind, upTo: newest) { removeFirst(queue) }
    }

    private enum Queue {
        case returned
        case fresh
        case backfill
    }

    private func first(_ kind: Kind, upTo newest: EventTime) -> (Queue, WaitingUser)? {
        switch kind {
        case .live:
            if let user = returned.first, user.age.tick <= newest { return (.returned, user) }
            if let user = fresh.first, user.age.tick <= newest { return (.fresh, user) }
        case .backfill:
            if let user = backfill.first, user.age.tick <= newest { return (.backfill, user) }
        }
        return nil
    }

    private mutating func removeFirst(_ queue: Queue) {
        switch queue {
        case .returned: returned.removeFirst()
        case .fresh: fresh.removeFirst()
        case .backfill: backfill.removeFirst()
        }
    }
}

/// The two lanes of one partition, and those who wait for its next tick.
struct PartitionLanes: Sendable {
    var exits = Lane()
    var enters = Lane()
    /// Users whose last operation came from another partition that is ahead of this one.
    var deferred: [WaitingUser] = []

    subscript(operation: Operation) -> Lane {
        get { operation == .enter ? enters : exits }
        _modify {
            if operation == .enter { yield &enters } else { yield &exits }
        }
    }
}
