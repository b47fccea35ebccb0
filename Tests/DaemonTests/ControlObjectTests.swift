import Testing

@testable import Daemon

@Suite("What the API made")
struct ControlObjectTests {
    private func objects(_ cohorts: [String: String], accepted: [String] = []) -> ControlObjects {
        var objects = ControlObjects()
        for (id, json) in cohorts { objects.define(id, Array(json.utf8)) }
        for id in accepted { objects.accept(id) }
        return objects
    }

    @Test("the file says the same when it is read again, and what it cannot say is left out")
    func file() {
        let all = objects(["b": #"{"id":"b"}"#, "a": #"{"id": "a"}"#], accepted: ["c"])
        #expect(
            String(decoding: all.file, as: UTF8.self)
                == #"cohort/a {"id": "a"}"# + "\n" + #"cohort/b {"id":"b"}"# + "\n"
                + #"accept/c {"from":"now"}"# + "\n"
        )
        #expect(ControlObjects(file: all.file) == all)
        #expect(ControlObjects(file: all.file + Array("torn".utf8)) == all)
        let spread = objects(["a": "{\n\"id\":\r\n\"a\"}"])
        #expect(ControlObjects(file: spread.file) == objects(["a": "{ \"id\":  \"a\"}"]))
    }

    @Test("the records between two states make one of the other")
    func records() {
        let states = [
            ControlObjects(), objects(["a": "1"], accepted: ["a"]), objects(["a": "2", "b": "1"]),
            objects(["b": "1"], accepted: ["b"]),
        ]
        for old in states {
            for new in states {
                var made = old
                let records = new.records(from: old)
                for record in records { made.take(record.key, record.value) }
                #expect(made == new)
                #expect(records.isEmpty == (old == new))
            }
        }
    }

    @Test("a record whose key is none of ours changes nothing; deleting forgets what was accepted")
    func others() {
        var all = objects(["a": "1"], accepted: ["a", "b"])
        all.take("sync/a", Array("{}".utf8))
        #expect(all == objects(["a": "1"], accepted: ["a", "b"]))
        all.delete("a")
        #expect(all == objects([:], accepted: ["b"]))
        all.forget(accepted: ["b", "x"])
        #expect(all == ControlObjects())
    }
}
