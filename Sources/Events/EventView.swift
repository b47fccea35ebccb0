package import Basics

/// Which properties a plan asks the decoder to pick out of every event; all else is only checked.
package struct Extraction: Sendable {
    /// Names looked up in `event_properties` (as it stands, then split at dots), then at the event's own top
    /// level where the name is one of ``topLevelEventNames``.
    package var eventProperties: [String]
    /// Names looked up in the user properties that the event itself carries (`$set`, then plain; a null falls
    /// through), then at the event's own top level where the name is one of ``topLevelUserNames``.
    package var userProperties: [String]

    /// An extraction of these names, each at most once.
    package init(eventProperties: [String] = [], userProperties: [String] = []) {
        self.eventProperties = eventProperties
        self.userProperties = userProperties
    }

    /// Where `where`, `same` and a mode's `property` look after `event_properties`.
    package static let topLevelEventNames = [
        "price", "quantity", "revenue", "productId", "revenueType", "currency", "session_id",
    ]

    /// Where `where_user` and `property` look after the user properties, as last sent.
    package static let topLevelUserNames = [
        "platform", "os_name", "os_version", "device_model", "device_type", "carrier", "country",
        "region",
        "city", "dma", "language", "app_version", "start_version",
    ]
}

/// One thing an event does to a property of its user.
package struct Assignment {
    /// What a line can do to a property; the raw values are stored.
    package enum Operation: UInt8, Sendable {  // stored: do not renumber
        /// A plain key, or one of `$set`. A null value unsets.
        case set = 0
        /// A top-level name of ``Extraction/topLevelUserNames``, kept apart from the property of that name.
        case sent = 1
        /// Counts only where no assignment, or an unset, decides. Never null.
        case setOnce = 2
        /// Takes the property away; the value is null.
        case unset = 3
        /// Takes every property away, but what was sent; name empty, value null.
        case clearAll = 4
        /// The six that read what they change, see ``PropertyOperation``; the value is the operand as sent.
        case add = 5
        case append = 6
        case prepend = 7
        case preInsert = 8
        case postInsert = 9
        case remove = 10
    }

    /// Which operation.
    package var operation: Operation
    /// The property's name, unescaped; empty may be a name, too.
    package var name: ByteView
    /// The new value; never missing.
    package var value: ValueView
}

/// One accepted event as the engine takes it: views into the decoder's memory, valid until the decoder is
/// asked for anything else.
package struct EventView {
    /// What the line is.
    package enum Kind: Sendable {
        case event
        /// `$identify`: sets properties and makes the user known, and is an event to no clause.
        case identify
    }

    /// What the line is.
    package var kind: Kind
    /// The user: `user_id`, else `device:` + `device_id`; 1…1031 bytes.
    package var userID: ByteView
    /// 1…1024 bytes.
    package var eventType: ByteView
    /// When it happened, by its own word.
    package var time: EventTime
    /// When it arrived: the log's timestamp, or what replay takes for it.
    package var arrival: EventTime
    /// `device_id`, else `user_id`, as text: whose insert ids are compared.
    package var dedupeOwner: ByteView
    /// The insert id as text; empty = none, never a duplicate.
    package var insertID: ByteView
    /// What the event carries of `Extraction.eventProperties`, by index there.
    package var eventProperties: UnsafeBufferPointer<ValueView>
    /// What the event carries of `Extraction.userProperties`, by index there.
    package var userProperties: UnsafeBufferPointer<ValueView>
    /// Everything it does to current property values, in the order in which it must be applied: `$clearAll`,
    /// `$unset`, `$setOnce`, plain keys, `$set`, `$add`, `$append`, `$prepend`, `$preInsert`, `$postInsert`,
    /// `$remove`, and what it sends at its top level.
    package var assignments: UnsafeBufferPointer<Assignment>
    /// What says nothing among its property operations, counted and ignored: a value that is no map (but of
    /// `$clearAll`, and a list of names of `$unset`), what is no text in such a list, a null of `$setOnce`.
    package var ignoredOperations: Int

    /// A view from its parts.
    package init(
        kind: Kind,
        userID: ByteView,
        eventType: ByteView,
        time: EventTime,
        arrival: EventTime,
        dedupeOwner: ByteView,
        insertID: ByteView,
        eventProperties: UnsafeBufferPointer<ValueView>,
        userProperties: UnsafeBufferPointer<ValueView>,
        assignments: UnsafeBufferPointer<Assignment>,
        ignoredOperations: Int
    ) {
        self.kind = kind
        self.userID = userID
        self.eventType = eventType
        self.time = time
        self.arrival = arrival
        self.dedupeOwner = dedupeOwner
        self.insertID = insertID
        self.eventProperties = eventProperties
        self.userProperties = userProperties
        self.assignments = assignments
        self.ignoredOperations = ignoredOperations
    }
}
