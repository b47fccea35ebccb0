/// Which of the lists that the engine keeps of a user.
struct UserListKinds: OptionSet {
    let rawValue: UInt8

    /// ``TraceLists``.
    static let times = UserListKinds(rawValue: 1)
    /// ``RecordLists``.
    static let records = UserListKinds(rawValue: 2)
    /// ``PropertyLists``.
    static let properties = UserListKinds(rawValue: 4)
    static let all: UserListKinds = [.times, .records, .properties]
}
