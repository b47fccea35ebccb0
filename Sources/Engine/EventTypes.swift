import Basics
import Cohorts

/// The event types that the plan names, numbered, so that one look-up tells everything about the type of an event.
struct EventTypes {
    private var table = ByteKeyTable()

    init(plan: Plan) {
        for type in plan.routes.types + plan.recordRoutes.types {
            type.withByteView { (bytes: ByteView) -> Void in _ = table.insert(bytes) }
        }
    }

    /// How many numbers there are: one for each type, and the last for all others.
    var count: Int { table.count + 1 }

    /// The number of a type.
    func number(of type: ByteView) -> Int { table.find(type) ?? table.count }

    /// The name of a type by its number; nil of the last.
    func name(_ number: Int) -> [UInt8]? { number < table.count ? table[number] : nil }
}
