package import Basics

/// A made-up event of a shop, in the producers' format.
package struct TrafficEvent {
    /// Who did it; the key of its record.
    package var user: String
    /// What was done.
    package var type: String
    /// When.
    package var time: EventTime
    /// Tells it from all others.
    package var insertID: String

    /// An event from its parts.
    package init(user: String, type: String, time: EventTime, insertID: String) {
        self.user = user
        self.type = type
        self.time = time
        self.insertID = insertID
    }

    private static let categories = ["shoes", "shirts", "bags", "books"]

    /// The event as JSON; every type but `page_view` is about some product, which the generator draws.
    package func json(_ generator: inout SeededGenerator) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("user_id", user)
        writer.member("event_type", type)
        writer.member("time", time.milliseconds)
        writer.member("insert_id", insertID)
        if type != "page_view" {
            writer.key("event_properties")
            writer.beginObject()
            writer.member("price", 5 + generator.below(196))
            writer.member("category", generator.pick(Self.categories))
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes
    }
}
