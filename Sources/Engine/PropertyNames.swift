import Basics
import Events

/// Numbers the names of user properties, in the order in which a shard first saw them.
///
/// The names an event sends at its top level (`platform` …) are kept apart from user properties of the same
/// name: they have the first numbers, by their place in `Extraction.topLevelUserNames`.
struct PropertyNames {
    /// The number under which the `$clearAll`s of a user are kept.
    static let clearAll: UInt32 = .max

    private var sent = ByteKeyTable()
    private var names = ByteKeyTable()

    init() {
        for name in Extraction.topLevelUserNames {
            name.withByteView { (bytes: ByteView) -> Void in _ = sent.insert(bytes) }
        }
    }

    /// How many numbers are taken by names sent at the top level.
    var sentCount: UInt32 { UInt32(sent.count) }

    /// How many user property names there are.
    var count: Int { names.count }

    /// The number of a user property's name, which is new if it was never seen.
    mutating func number(of name: ByteView) -> UInt32 {
        sentCount + UInt32(names.insert(name))
    }

    /// The number of what an assignment names; nil where that is a top-level name we do not know.
    mutating func number(_ assignment: Assignment) -> UInt32? {
        switch assignment.operation {
        case .sent: sentNumber(of: assignment.name)
        case .clearAll: Self.clearAll
        default: number(of: assignment.name)
        }
    }

    /// The number of a name sent at the top level; nil for any other name.
    func sentNumber(of name: ByteView) -> UInt32? {
        sent.find(name).map { UInt32($0) }
    }

    /// Whether the number is that of a user property.
    func isProperty(_ number: UInt32) -> Bool { number >= sentCount }

    /// A user property's name by its index, 0..<``count``; its number is the index + ``sentCount``.
    func name(at index: Int) -> [UInt8] { names[index] }
}
