package import Basics

/// Ids of users, one after the other in a single buffer.
package struct UserList: Sendable, Equatable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// No users.
    package init() {}

    /// The users of the texts, in that order.
    package init(_ users: [String]) {
        for user in users { append(user) }
    }

    /// How many users.
    package var count: Int { ends.count }
    /// Whether there are none.
    package var isEmpty: Bool { ends.isEmpty }

    /// Makes room for `users` ids of `byteCount` bytes in all.
    package mutating func reserve(users: Int, byteCount: Int) {
        ends.reserveCapacity(users)
        bytes.reserveCapacity(byteCount)
    }

    /// Appends one id.
    package mutating func append(_ user: ByteView) {
        bytes.append(contentsOf: user.buffer)
        ends.append(bytes.count)
    }

    /// Appends one id.
    package mutating func append(_ user: String) {
        bytes.append(contentsOf: user.utf8)
        ends.append(bytes.count)
    }

    /// Lends the ids one by one.
    package func forEach(_ body: (ByteView) -> Void) {
        bytes.withByteView { all in
            var start = 0
            for end in ends {
                body(ByteView(base: all.base + start, count: end - start))
                start = end
            }
        }
    }

    /// Lends one id by its place.
    package func withUser<Result>(at index: Int, _ body: (ByteView) -> Result) -> Result {
        bytes.withByteView { all in
            let start = index == 0 ? 0 : ends[index - 1]
            return body(ByteView(base: all.base + start, count: ends[index] - start))
        }
    }

    /// Copies of the ids as text; for tests and messages.
    package var texts: [String] {
        var texts: [String] = []
        forEach { texts.append($0.string) }
        return texts
    }
}
