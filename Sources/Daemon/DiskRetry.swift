/// How long what did not fit onto a full disk waits before it is tried again.
enum DiskRetry {
    /// The shortest and the longest wait, in milliseconds.
    static let bounds: ClosedRange<Int64> = 1000...60_000

    /// The wait after an attempt, so that attempts take a tenth of the time: one may write gigabytes before it fails.
    ///
    /// - Parameter milliseconds: How long the attempt took.
    /// - Returns: In milliseconds.
    static func wait(after milliseconds: Int64) -> Int64 {
        min(bounds.upperBound, max(bounds.lowerBound, 9 * min(milliseconds, bounds.upperBound)))
    }
}
