public import Basics

/// Which properties a plan asks the decoder to pick out of every event; all else is only checked.
public struct Extraction: Sendable {
    /// Names looked up in `event_properties` (as it stands, then split at dots), then at the event's own top
    /// level where the name is one of ``topLevelEventNames``.
    public var eventProperties: [String]
    /// Names looked up in the user properties that the event itself carries (`$set`, then plain; a null falls
    /// through), then at the event's own top level where the name is one of ``topLevelUserNames``.
    public var userProperties: [String]

    /// An extraction of these names, each at most once.
    public init(eventProperties: [String] = [], userProperties: [String] = []) {
        self.eventProperties = eventProperties
        self.userProperties = userProperties
    }

    /// Where `where`, `same` and a mode's `property` look after `event_properties`.
    public static let topLevelEventNames = [
        "price", "quantity", "revenue", "productId", "revenueType", "currency", "session_id",
    ]

    /// Where `where_user` and `property` look after the user properties, as last sent.
    public static let topLevelUserNames = [
        "platform", "os_name", "os_version", "device_model", "device_type", "carrier", "country",
        "region",
        "city", "dma", "language", "app_version", "start_version",
    ]
}

/// One thing an event does to a property of its user.
public struct Assignment {
    /// What a line can do to a property; the raw values are stored.
    public enum Operation: UInt8, Sendable, BitwiseCopyable {  // stored: do not renumber
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
    public var operation: Operation
    /// The property's name, unescaped; empty may be a name, too.
    public var name: ByteView
    /// The new value; never missing.
    public var value: ValueView
}

/// One accepted event as the engine takes it: views into the decoder's memory, valid until the decoder is
/// asked for anything else.
///
/// The fields lie in that memory as well, since to hand on a value of that size is to copy it at every step.
public struct EventView {
    /// What the line is.
    public enum Kind: Sendable, BitwiseCopyable {
        case event
        /// `$identify`: sets properties and makes the user known, and is an event to no clause.
        case identify
    }

    /// Where the fields lie.
    public let fields: UnsafePointer<EventFields>

    /// The event that lies in these fields.
    init(_ fields: UnsafePointer<EventFields>) {
        self.fields = fields
    }

    /// What the line is.
    @inlinable public var kind: Kind { fields.pointee.kind }
    /// The user: `user_id`, else `device:` + `device_id`; 1…1031 bytes.
    @inlinable public var userID: ByteView { fields.pointee.userID }
    /// 1…1024 bytes.
    @inlinable public var eventType: ByteView { fields.pointee.eventType }
    /// When it happened, by its own word.
    @inlinable public var time: EventTime { fields.pointee.time }
    /// When it arrived: the log's timestamp, or what replay takes for it.
    @inlinable public var arrival: EventTime { fields.pointee.arrival }
    /// `device_id`, else `user_id`, as text: whose insert ids are compared.
    @inlinable public var dedupeOwner: ByteView { fields.pointee.dedupeOwner }
    /// The insert id as text; empty = none, never a duplicate.
    @inlinable public var insertID: ByteView { fields.pointee.insertID }
    /// What the event carries of `Extraction.eventProperties`, by index there.
    @inlinable public var eventProperties: UnsafeBufferPointer<ValueView> {
        fields.pointee.eventProperties
    }
    /// What the event carries of `Extraction.userProperties`, by index there.
    @inlinable public var userProperties: UnsafeBufferPointer<ValueView> {
        fields.pointee.userProperties
    }
    /// Everything it does to current property values, in the order in which it must be applied: `$clearAll`,
    /// `$unset`, `$setOnce`, plain keys, `$set`, `$add`, `$append`, `$prepend`, `$preInsert`, `$postInsert`,
    /// `$remove`, and what it sends at its top level.
    @inlinable public var assignments: UnsafeBufferPointer<Assignment> {
        fields.pointee.assignments
    }
    /// What says nothing among its property operations, counted and ignored: a value that is no map (but of
    /// `$clearAll`, and a list of names of `$unset`), what is no text in such a list, a null of `$setOnce`.
    @inlinable public var ignoredOperations: Int { fields.pointee.ignoredOperations }
}

/// What an ``EventView`` shows; each field is explained there.
public struct EventFields {
    /// ``EventView/kind``.
    public var kind = EventView.Kind.event
    /// ``EventView/userID``.
    public var userID = ByteView.empty
    /// ``EventView/eventType``.
    public var eventType = ByteView.empty
    /// ``EventView/time``.
    public var time = EventTime(milliseconds: 0)
    /// ``EventView/arrival``.
    public var arrival = EventTime(milliseconds: 0)
    /// ``EventView/dedupeOwner``.
    public var dedupeOwner = ByteView.empty
    /// ``EventView/insertID``.
    public var insertID = ByteView.empty
    /// ``EventView/eventProperties``.
    public var eventProperties: UnsafeBufferPointer<ValueView>
    /// ``EventView/userProperties``.
    public var userProperties: UnsafeBufferPointer<ValueView>
    /// ``EventView/assignments``.
    public var assignments = UnsafeBufferPointer<Assignment>(start: nil, count: 0)
    /// ``EventView/ignoredOperations``.
    public var ignoredOperations = 0
}
