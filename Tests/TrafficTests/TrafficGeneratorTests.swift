import Basics
import Foundation
import Testing

@testable import Traffic

@Suite("Made-up traffic")
struct TrafficGeneratorTests {
    private static let start = EventTime(milliseconds: 1_767_571_200_000)

    private func events(
        _ count: Int,
        _ change: (inout TrafficSettings) -> Void = { _ in }
    ) -> [TrafficGenerator.Event] {
        var settings = TrafficSettings(start: Self.start)
        change(&settings)
        var generator = TrafficGenerator(settings)
        return (0..<count).map { _ in generator.next() }
    }

    private struct Line: Decodable {
        struct Properties: Decodable {
            var price: Int
            var category: String
        }
        var user_id: String
        var event_type: String
        var time: Int64
        var insert_id: String
        var event_properties: Properties?
    }

    private func read(_ event: TrafficGenerator.Event) throws -> Line {
        try JSONDecoder().decode(Line.self, from: Data(event.json))
    }

    @Test("the same seed gives the same bytes, another seed others")
    func seed() {
        let change = { (settings: inout TrafficSettings) in
            settings.lateShare = 0.1
            settings.duplicateShare = 0.1
        }
        let first = events(2000, change).map(\.json)
        #expect(first == events(2000, change).map(\.json))
        #expect(
            first
                != events(2000) {
                    change(&$0)
                    $0.seed = 2
                }.map(\.json)
        )
    }

    @Test("the first events are, byte for byte, those of another program")
    func golden() {
        // A script in Python, with SplitMix64 and the sampler written from their papers.
        let expected = [
            #"{"user_id":"user-1","event_type":"page_view","time":1767571200000,"insert_id":"1-0"}"#,
            #"{"user_id":"user-2","event_type":"page_view","time":1767571200001,"insert_id":"1-1"}"#,
            #"{"user_id":"user-750","event_type":"page_view","time":1767571200002,"insert_id":"1-2"}"#,
            #"{"user_id":"user-510","event_type":"page_view","time":1767571200003,"insert_id":"1-3"}"#,
            #"{"user_id":"user-26","event_type":"product_view","time":1767571200004,"insert_id":"1-4","#
                + #""event_properties":{"price":17,"category":"shoes"}}"#,
            #"{"user_id":"user-3100","event_type":"page_view","time":1767571200005,"insert_id":"1-5"}"#,
        ]
        #expect(events(6).map { String(decoding: $0.json, as: UTF8.self) } == expected)
    }

    @Test("events come at the rate, and their time is their arrival unless they are late")
    func rate() throws {
        let all = events(3000) { $0.rate = 300 }
        #expect(all[0].arrival == Self.start)
        #expect(all[1].arrival == Self.start + 3)
        #expect(all[299].arrival == Self.start + 996)
        #expect(all[300].arrival == Self.start + 1000)
        #expect(all[2999].arrival == Self.start + 9996)
        for event in all { #expect(try read(event).time == event.arrival.milliseconds) }
    }

    @Test("insert ids tell all events apart, and only duplicates have one that came before")
    func duplicates() throws {
        let all = events(20_000) { $0.duplicateShare = 0.05 }
        let ids = try all.map { try read($0).insert_id }
        let repeated = all.filter(\.isDuplicate).count
        // Five standard deviations around 1,000.
        #expect((846...1154).contains(repeated))
        #expect(Set(ids).count == all.count - repeated)
        var seen: [String: (index: Int, json: [UInt8])] = [:]
        var distinct = 0
        for (id, event) in zip(ids, all) {
            if event.isDuplicate {
                let known = try #require(seen[id])
                #expect(known.json == event.json)
                #expect(distinct - known.index <= TrafficGenerator.recentMax)
            } else {
                #expect(seen.updateValue((distinct, event.json), forKey: id) == nil)
                distinct += 1
            }
        }
        #expect(events(5000).allSatisfy { !$0.isDuplicate })
        // There is nothing that the first could repeat.
        #expect(Set(events(50) { $0.duplicateShare = 1 }.map(\.json)).count == 1)
    }

    @Test("late events are as many as asked for, and no later than asked for, evenly")
    func late() throws {
        let all = events(20_000) {
            $0.lateShare = 0.2
            $0.lateMax = 60_000
        }
        let late = try all.filter(\.isLate).map { event in
            event.arrival.milliseconds - (try read(event).time)
        }
        // Five standard deviations around 4,000.
        #expect((3718...4282).contains(late.count))
        #expect(late.allSatisfy { (1...60_000).contains($0) })
        #expect((28_500...31_500).contains(late.reduce(0, +) / Int64(late.count)))
        for event in all where !event.isLate {
            #expect(try read(event).time == event.arrival.milliseconds)
        }
    }

    @Test("types come by their weights; all but page views are about a product")
    func types() throws {
        let lines = try events(20_000) {
            $0.mix = TrafficMix([
                .init(type: "page_view", weight: 3), .init(type: "buy", weight: 1),
            ])
        }.map(read)
        let views = lines.filter { $0.event_type == "page_view" }
        #expect((14_694...15_306).contains(views.count))
        #expect(views.allSatisfy { $0.event_properties == nil })
        let buys = lines.filter { $0.event_type == "buy" }
        #expect(views.count + buys.count == lines.count)
        #expect(buys.allSatisfy { (5...200).contains($0.event_properties?.price ?? 0) })
    }

    @Test("a pace owes the rate each second, and no less over a day")
    func pace() {
        let pace = TrafficPace(rate: 1500, began: 7000)
        #expect(pace.owed(now: 6999) == 0)
        #expect(pace.owed(now: 7000) == 0)
        #expect(pace.owed(now: 7001) == 1)
        #expect(pace.owed(now: 8002) == 1503)
        #expect(pace.owed(now: 7000 + 86_400_000) == 1500 * 86_400)
    }
}
