import Basics
import Glibc
import Testing
import Threads

@Suite("The clocks of the machine")
struct SystemClockTests {
    @Test("the wall clock counts milliseconds since 1970")
    func wall() {
        let before = Int64(time(nil))
        let now = SystemClock().now.milliseconds
        let after = Int64(time(nil))
        // time() may lag behind by a tick of the kernel.
        #expect(((before - 1) * 1000...(after + 2) * 1000).contains(now))
    }

    @Test("the other clock does not go back")
    func monotonic() {
        let clock = SystemClock()
        var last = clock.monotonicMilliseconds
        for _ in 0..<1000 {
            let next = clock.monotonicMilliseconds
            #expect(next >= last)
            last = next
        }
    }
}
