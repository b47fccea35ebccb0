package import Basics
import Cohorts
package import Engine

/// The lines a replay writes.
///
/// Source: the contract of `cohortctl replay` in docs/replay.md.
package enum ReplayOutput {
    /// Appends `{"tick","cohort","user","op"}` lines of one tick, in the order given.
    package static func append(
        _ deltas: [Delta],
        of shard: borrowing Shard,
        at tick: EventTime,
        to bytes: inout [UInt8]
    ) {
        guard !deltas.isEmpty else { return }
        let instant = tick.rfc3339
        var writer = JSONWriter()
        for delta in deltas {
            writer.beginObject()
            writer.member("tick", instant)
            writer.member("cohort", shard.plan.cohorts[delta.cohort].id)
            writer.key("user")
            writer.value(shard.userID(delta.slot))
            writer.member("op", delta.entered ? "enter" : "exit")
            writer.endObject()
            writer.newline()
        }
        bytes += writer.bytes
    }

    /// Appends the `{"cohort","count","users"}` line of one cohort.
    package static func append(members: [ByteView], of cohort: String, to bytes: inout [UInt8]) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("cohort", cohort)
        writer.member("count", members.count)
        writer.key("users")
        writer.beginArray()
        for user in members { writer.value(user) }
        writer.endArray()
        writer.endObject()
        writer.newline()
        bytes += writer.bytes
    }
}
