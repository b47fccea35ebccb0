/// Which of the lists that the engine keeps of a user.
struct UserListKinds: OptionSet {
    let rawValue: UInt8

    static let times = UserListKinds(rawValue: 1)
    static let records = UserListKinds(rawValue: 2)
    static let properties = UserListKinds(rawValue: 4)
    static let all: UserListKinds = [.times, .records, .properties]
}
