import Basics
import Sync

/// What is sent for a test: one made-up user who enters a made-up cohort, and one who leaves it.
struct SampleBatch {
    static let cohortID = "cohortd-test"
    static let cohortName = "cohortd test"

    /// Who enters.
    let user: String
    /// Who leaves, where nothing is sent.
    var leaver: String { user + "-2" }
    let now: EventTime

    /// A batch of these users.
    func request(
        entering: [String] = [],
        leaving: [String] = [],
        messageID: String
    ) -> DeliveryRequest {
        var request = DeliveryRequest(
            syncID: Self.cohortID,
            destinationID: Self.cohortID,
            messageID: messageID,
            cohortID: Self.cohortID,
            cohortName: Self.cohortName,
            tick: now.roundedDown(toMultipleOf: 60_000),
            users: UserList(leaving + entering),
            exitCount: leaving.count,
            timeoutMilliseconds: 30_000
        )
        request.origins = (1...2).map { RecordOrigin(partition: 0, sequence: $0) }
        return request
    }

    private var mixed: DeliveryRequest {
        request(entering: [user], leaving: [leaver], messageID: "test")
    }

    /// The lines of a file.
    var lines: String {
        var request = mixed
        request.origins = []
        return String(decoding: DeltaRecord.render(request), as: UTF8.self)
    }

    /// The records of a topic, one a line.
    func records(_ records: TopicRecords) -> String {
        var text = ""
        records.forEach(of: mixed) { key, value in
            text += "\(key.string)  \(value?.string ?? "(no value: a tombstone)")\n"
            return true
        }
        return text
    }

    /// The three files of a run.
    var files: String {
        let instant = now.roundedDown(toMultipleOf: 60_000).rfc3339.map { $0 == ":" ? "-" : $0 }
        return [("entering", [user]), ("exiting", [leaver]), ("existing", [])].map { part, users in
            "\(Self.cohortID)_\(String(instant))_\(part).csv\n"
                + (["user_id"] + users).joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }
}
