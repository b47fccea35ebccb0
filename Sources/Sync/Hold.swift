/// Why a sync sends nothing until somebody does something.
enum Hold: Sendable, Equatable {
    /// 401 or 403: until the credential changes, or the next start, which tries once.
    case refused(reason: String)
    /// Something that repeating does not mend: until a person resumes, or the next start, which tries once.
    case failed(reason: String)
    /// A change would make so many leave at once: until a person approves.
    case massExit(users: Int)

    /// What happened and what to do.
    func text(sync: String) -> String {
        switch self {
        case .refused(let reason), .failed(let reason): reason
        case .massExit(let users):
            "\(users) users would leave at once; look whether the cohort is right, then "
                + "cohortctl syncs approve \(sync)"
        }
    }
}
