import Basics

/// The body of a webhook request.
///
/// Source: docs/destinations.md, the webhook's body; the form of Amplitude's cohort webhook.
package enum WebhookBody {
    /// Renders the body; the same request gives the same bytes for ever.
    package static func render(_ request: DeliveryRequest) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("cohort_name", request.cohortName)
        writer.member("cohort_id", request.cohortID)
        writer.member("in_cohort", request.operation == .enter)
        writer.member("computed_time", epochSeconds(request.tick))
        writer.member("message_id", request.messageID)
        writer.key("users")
        writer.beginArray()
        request.users.forEach(with: request.properties) { user, properties in
            writer.beginObject()
            writer.key("user_id")
            writer.value(user)
            if !properties.isEmpty {
                writer.key("user_properties")
                writer.raw(properties.array)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// Seconds since 1970 as text.
    ///
    /// Ticks are whole seconds; a fraction would be cut towards the past.
    private static func epochSeconds(_ tick: EventTime) -> String {
        String(tick.roundedDown(toMultipleOf: 1000).milliseconds / 1000)
    }
}
