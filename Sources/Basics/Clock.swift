/// Time as the shell hands it to whoever waits: the wall clock and one that never jumps.
///
/// Code of the core takes instants as arguments instead; this protocol is for loops that own a deadline.
public protocol Clock: Sendable {
    /// The wall clock.
    var now: EventTime { get }
    /// Milliseconds since an arbitrary start; never goes back.
    var monotonicMilliseconds: Int64 { get }
}
