import Basics
import Testing

@testable import Sync

@Suite("Records of topics")
struct TopicRecordsTests {
    private let request = {
        var request = DeliveryRequest(
            syncID: "s",
            destinationID: "d",
            messageID: "9baaa88f-0000-4000-8000-000000000000::enter::0",
            cohortID: "vip",
            cohortName: "Very important",
            tick: EventTime(milliseconds: 1_767_323_040_000),
            users: UserList(["u9", "a\"b", "ü"]),
            exitCount: 1,
            timeoutMilliseconds: 1000
        )
        request.origins = [
            RecordOrigin(partition: 0, sequence: 7),
            RecordOrigin(partition: 3, sequence: 1),
            RecordOrigin(partition: 0, sequence: 8),
        ]
        return request
    }()

    /// The records as text, `null` for a tombstone.
    private func texts(_ records: TopicRecords, upTo limit: Int = .max) -> [String] {
        var texts: [String] = []
        records.forEach(of: request) { key, value in
            texts.append("\(key.string) \(value?.string ?? "null")")
            return texts.count < limit
        }
        return texts
    }

    @Test("A topic of changes gets the numbered delta record, those who leave first")
    func changes() {
        let start = #"{"tick":"2026-01-02T03:04:00Z","cohort":"vip","user":"#
        #expect(
            texts(.changes) == [
                "vip|u9 " + start + #""u9","op":"exit","partition":0,"seq":7}"#,
                "vip|a\"b " + start + #""a\"b","op":"enter","partition":3,"seq":1}"#,
                "vip|ü " + start + #""ü","op":"enter","partition":0,"seq":8}"#,
            ]
        )
    }

    @Test("A table gets the tick of who is in and a tombstone of who left")
    func table() {
        #expect(
            texts(.table) == [
                "vip|u9 null", #"vip|a"b {"tick":"2026-01-02T03:04:00Z"}"#,
                #"vip|ü {"tick":"2026-01-02T03:04:00Z"}"#,
            ]
        )
    }

    @Test("No record is made after the first that is refused")
    func refused() {
        #expect(texts(.changes, upTo: 1).count == 1)
    }

    @Test("Both take those who leave and those who enter in one batch; only changes are numbered")
    func shape() {
        #expect(TopicRecords.changes.shape.isMixed && TopicRecords.table.shape.isMixed)
        #expect(TopicRecords.changes.shape.isNumbered && !TopicRecords.table.shape.isNumbered)
        #expect(TopicRecords.changes.shape.isRepeatedUnchanged)
    }
}
