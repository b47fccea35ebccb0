import Basics

/// The delta record of files and of the replay: one JSON line per user.
package enum DeltaRecord {
    /// Renders one line per user of the request, each ended by a newline.
    package static func render(_ request: DeliveryRequest) -> [UInt8] {
        let tick = request.tick.rfc3339
        var writer = JSONWriter()
        request.users.forEach { user in
            writer.beginObject()
            writer.member("tick", tick)
            writer.member("cohort", request.cohortID)
            writer.key("user")
            writer.value(user)
            writer.member("op", request.operation.name)
            writer.endObject()
            writer.newline()
        }
        return writer.bytes
    }
}
