import Basics
import Testing

@testable import Daemon

@Suite("Users in several partitions")
struct SplitUsersTests {
    private static let day: Int64 = 86_400_000

    @Test("are found in a sample of one in 256, and warned of once a day")
    func found() {
        let users = SplitUsers()
        #expect(users.note([1, 2, 3], in: 0, now: 0) == nil)
        #expect(users.note([4, 5], in: 1, now: 0) == nil)
        // Told again by the partition it is in.
        #expect(users.note([1], in: 0, now: 0) == nil)
        #expect(users.estimate == 0)
        #expect(users.note([2, 3], in: 1, now: 1000) == 512)
        #expect(users.note([3, 1], in: 2, now: 2000) == nil)
        #expect(users.estimate == 768)
        #expect(users.note([9], in: 2, now: 1000 + Self.day) == 768)
        #expect(users.note([], in: 2, now: 3 * Self.day) == nil)
    }

    @Test("the sample is one in 256, the same for every partition")
    func sample() {
        let count = (0..<100_000).count { number in
            "user-\(number)".withByteView { SplitUsers.sampled($0) } != nil
        }
        #expect((300...490).contains(count), "\(count) of 100000")
    }
}
