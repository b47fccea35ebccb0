import Basics
import Cohorts
import Events

/// Which traces an event belongs to: the plan's routes and filters laid out flat, so that finding out neither
/// allocates nor counts references.
struct TraceFilters {
    private struct Test {
        /// Whether it asks what the event carries of the user's properties, else the event's own.
        var isOfUser: Bool
        var property: Int
        var test: CompiledPropertyTest
    }

    /// Where the traces of each type, by its number, stand in ``traces``.
    private let traceRanges: [Range<Int>]
    private let traces: [Int]
    /// Where the tests of each trace stand in ``tests``.
    private let testRanges: [Range<Int>]
    private let tests: [Test]
    /// How far back each trace is looked at, in milliseconds.
    private let horizons: [Int64]

    init(plan: Plan, types: EventTypes) {
        var traceRanges: [Range<Int>] = []
        var traces: [Int] = []
        for type in 0..<types.count {
            let start = traces.count
            let route =
                types.name(type)?.withByteView { plan.routes.route(of: $0) } ?? plan.routes.count
                - 1
            traces += plan.routes.traces(of: route)
            traceRanges.append(start..<traces.count)
        }
        self.traceRanges = traceRanges
        self.traces = traces
        var testRanges: [Range<Int>] = []
        var tests: [Test] = []
        for trace in plan.traces {
            let start = tests.count
            tests += trace.whereEvent.map {
                Test(isOfUser: false, property: $0.property, test: $0.test)
            }
            tests += trace.whereUser.map {
                Test(isOfUser: true, property: $0.property, test: $0.test)
            }
            testRanges.append(start..<tests.count)
        }
        self.testRanges = testRanges
        self.tests = tests
        horizons = plan.traces.map(\.horizon)
    }

    /// The places of ``trace(at:)`` for events of the type with this number.
    func candidates(for type: Int) -> Range<Int> { traceRanges[type] }

    /// A trace by its place among the candidates.
    func trace(at index: Int) -> Int { traces[index] }

    /// How far back a trace is looked at, in milliseconds.
    func horizon(_ trace: Int) -> Int64 { horizons[trace] }

    /// Whether the event passes the filter of a trace of its type.
    func matches(_ event: borrowing EventView, trace: Int) -> Bool {
        for index in testRanges[trace] {
            let property = tests[index].property
            let value =
                tests[index].isOfUser
                ? event.userProperties[property] : event.eventProperties[property]
            if !tests[index].test.matches(value) { return false }
        }
        return true
    }
}
