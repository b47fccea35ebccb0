import PartnerKit
import Sync
import TestKit
import Testing

@Suite("Connections cut at every byte")
struct CutTests {
    private static let isNightly = Environment.current["COHORTD_NIGHTLY"] == "1"
    private static let partners: [Partner] =
        isNightly ? Partner.allCases : [.webhook, .talonOne]
    /// Destinations that are cut at once, each at a byte of its own.
    private static let lanes = 8

    @Test(
        "A connection cut anywhere costs a repetition and nothing else",
        arguments: partners,
        [false, true]
    )
    func cut(_ partner: Partner, ofAnswer: Bool) throws {
        // With one way to end a connection on each byte, and both in a nightly run.
        for round in 0..<(Self.isNightly ? 2 : 1) {
            try cutEverywhere(partner, ofAnswer: ofAnswer, oddIsReset: round == 0)
        }
    }

    private func cutEverywhere(_ partner: Partner, ofAnswer: Bool, oddIsReset: Bool) throws {
        let times = HarnessTimes(speed: 100, timeoutMilliseconds: 2000)
        let destinations = try (0..<Self.lanes).map {
            try TestedDestination(
                "d\($0)",
                partner,
                cohorts: [0],
                hasProxy: true,
                isSmall: false,
                times: times
            )
        }
        let harness = try PartnerHarness(destinations, times: times)
        // Those who are to leave are in before anything is cut.
        let first = 10_000
        try harness.tick((first..<first + 1000).map { ($0, 0, true) })
        try harness.rest()
        var cutCount = 0
        var byte = 0
        while true {
            // A user who comes in and one who leaves, in turn, so that no change waits for another.
            let number = byte / Self.lanes
            let isEntering = number % 2 == 0
            let user = isEntering ? first + 5000 + number : first + number
            var problems: [String] = []
            for (lane, destination) in destinations.enumerated() {
                let list = destination.partner.list(
                    cohort: SimulatedEngine.cohorts[0],
                    given: harness.planner.listID(sync: destination.syncID(0))
                )
                let name = try destination.expected([
                    SimulatedEngine.user(user): SimulatedEngine.email(SimulatedEngine.user(user), 0)
                ])
                destination.mock.expect(
                    Set(name.map { .init(list: list, user: $0, isEntering: isEntering) })
                )
                let isReset = ((byte + lane) % 2 == 1) == oddIsReset
                destination.proxy?.arm(
                    .init(ofAnswer: ofAnswer, byte: byte + lane, isReset: isReset)
                )
            }
            try harness.tick([(user, 0, isEntering)])
            try harness.rest()
            var isOver = true
            for (lane, destination) in destinations.enumerated() {
                if destination.proxy?.disarm() == false {
                    cutCount += 1
                    isOver = false
                }
                problems += destination.mock.problems
                problems += try harness.differences(destination)
                #expect(problems.isEmpty, "\(partner), byte \(byte + lane): \(problems.prefix(3))")
                if !problems.isEmpty { return }
            }
            byte += Self.lanes
            if isOver { break }
        }
        let problems = try harness.problems()
        #expect(problems.isEmpty, "\(partner): \(problems.prefix(6))")
        // The smallest answer there is has a status line and the end of the head.
        #expect(cutCount > (ofAnswer ? 30 : 200), "\(partner): \(cutCount) bytes")
    }
}
