/// The clock of a harness runs faster than the machine's, so that waits of seconds take milliseconds.
struct HarnessTimes: Sendable {
    /// Milliseconds of the harness in one of the machine.
    var speed: Int64 = 20
    /// How long a request may take, in the machine's milliseconds.
    var timeoutMilliseconds = 400

    func virtual(_ real: Int) -> Int64 { Int64(real) * speed }
    func real(_ virtual: Int64) -> Int { Int(virtual / speed) }
    func realMicroseconds(_ virtual: Int64) -> Int64 { virtual * 1000 / speed }
}
