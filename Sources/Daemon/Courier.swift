import Basics
import Delivery
import Sync

/// Carries the batches of one destination, for the sync thread and on it.
protocol Courier: AnyObject {
    /// The destination's id.
    var destination: String { get }
    /// Whether the destination took what was sent last; nil while nothing was.
    var isUp: Bool? { get }

    /// How many users of a sync would leave soon if they were sent now.
    func allowance(sync: String, now: Int64) -> Int
    /// Takes a batch, of a sync that has none under way.
    func send(_ request: DeliveryRequest, now: Int64)
    /// Takes a run that is one set of files; `columns` names the properties sent along.
    func write(_ run: RunRequest, columns: [String])
    /// Takes how something ended that this courier handed out.
    func answered(_ token: UInt64, _ answer: CourierAnswer, now: Int64)
    /// Lets time pass.
    func advance(now: Int64) -> CourierNews
    /// A person wants it tried again.
    func resume()
    /// Ends what is under way and takes nothing more; every batch has its answer when this returns, or soon.
    func stop()
}

/// How something ended, as the transports say it.
enum CourierAnswer: Sendable {
    /// Over HTTP.
    case http(HTTPOutcome)
    /// A batch or run that a transport carried as a whole.
    case whole(DeliveryOutcome)
}

/// What a courier wants known.
struct CourierNews {
    /// How a batch or a run ended.
    struct Completion {
        var sync: String
        /// The batch; nil for a run.
        var message: String?
        var outcome: DeliveryOutcome
    }

    var completions: [Completion] = []
    /// Lists that the partner holds now.
    var lists: [(sync: String, id: String)] = []
    /// For the log.
    var notes: [String] = []
    /// When to be asked again at the latest; nil where nothing waits for time.
    var wakeAt: Int64?
}
