/// When the ticks are, by the contract of `cohortctl replay`.
package enum OracleTicks: Sendable {
    /// Multiples of a width from an instant (nil: the first arrival) to another (nil: the first multiple ≥ the
    /// last arrival and the first tick), the last one at that other exactly.
    case every(Int64, from: Int64?, until: Int64?)
    /// Just these.
    case at([Int64])

    func instants(firstArrival: Int64?, lastArrival: Int64?) -> [Int64] {
        switch self {
        case .at(let instants):
            return Set(instants).sorted()
        case .every(let width, let from, let until):
            func multiple(from instant: Int64) -> Int64 {
                var candidate = instant / width * width - width
                while candidate < instant { candidate += width }
                return candidate
            }
            guard lastArrival != nil || until != nil else { return [] }
            var instants: [Int64] = []
            if let start = from ?? firstArrival {
                let first = multiple(from: start)
                let last = until ?? max(first, multiple(from: lastArrival ?? first))
                var next = first
                while next < last {
                    instants.append(next)
                    next += width
                }
                instants.append(last)
            } else if let until {
                instants.append(until)
            }
            return instants
        }
    }
}
