import Basics
import Testing

@testable import Events

@Suite("Commands")
struct CommandTests {
    /// What became of a command, copied out of the decoder's memory.
    private enum Read: Equatable {
        case upload(user: String, cohort: String, isIn: Bool, at: Int64)
        case identify(user: String, type: String, at: Int64, carries: String, does: [String])
        case rejected(RejectReason)
    }

    private static func read(
        _ value: String,
        key: [UInt8]? = Array("u".utf8),
        timestamp: Int64? = 5,
        bytesMax: Int = 1 << 20
    ) -> (read: Read, text: String) {
        read(Array(value.utf8), key: key, timestamp: timestamp, bytesMax: bytesMax)
    }

    private static func read(
        _ value: [UInt8],
        key: [UInt8]?,
        timestamp: Int64?,
        bytesMax: Int
    ) -> (read: Read, text: String) {
        var decoder = CommandDecoder(
            extraction: Extraction(eventProperties: ["price"], userProperties: ["plan"]),
            eventBytesMax: bytesMax
        )
        return value.withByteView { value in
            (key ?? []).withByteView { keyBytes in
                let outcome = decoder.decode(
                    value,
                    key: key == nil ? nil : keyBytes,
                    timestamp: timestamp.map { EventTime(milliseconds: $0) }
                )
                switch outcome {
                case .rejected(let reason): return (.rejected(reason), decoder.rejectText)
                case .command(.upload(let user, let cohort, let isIn), let time):
                    return (
                        .upload(
                            user: user.string,
                            cohort: cohort.string,
                            isIn: isIn,
                            at: time.milliseconds
                        ), ""
                    )
                case .command(.identify(let event), _):
                    #expect(event.kind == .identify && event.insertID.isEmpty)
                    return (
                        .identify(
                            user: event.userID.string,
                            type: event.eventType.string,
                            at: event.time.milliseconds,
                            carries: render(event.userProperties[0]),
                            does: event.assignments.map {
                                "\($0.operation) \($0.name.string)=\(render($0.value))"
                            }
                        ), ""
                    )
                }
            }
        }
    }

    @Test("An upload and an identify are read, whatever else the record says")
    func good() {
        let add = #"{"type":"upload","cohort":"vip","op":"add"}"#
        #expect(Self.read(add).read == .upload(user: "u", cohort: "vip", isIn: true, at: 5))
        let remove = #" {"op":"remove","x":[1],"cohort":"vip","user_id":"v","type":"upload"} "#
        #expect(
            Self.read(remove, key: Array("ü".utf8), timestamp: -7).read
                == .upload(user: "ü", cohort: "vip", isIn: false, at: -7)
        )
        let identify =
            #"{"type":"identify","user_properties":{"plan":"pro","$add":{"n":1}},"platform":"Web"}"#
        #expect(
            Self.read(identify).read
                == .identify(
                    user: "u",
                    type: "$identify",
                    at: 5,
                    carries: #""pro""#,
                    does: [#"set plan="pro""#, "add n=1", #"sent platform="Web""#]
                )
        )
        #expect(
            Self.read(#"{"type":"identify","user_properties":null}"#).read
                == .identify(user: "u", type: "$identify", at: 5, carries: "-", does: [])
        )
    }

    @Test("What is wrong has a reason, and a text that names it")
    func bad() {
        let upload = #"{"type":"upload","cohort":"c","op":"add"}"#
        let rows: [(value: String, reason: RejectReason, names: String)] = [
            ("", .notJSON, "no value"), ("{", .notJSON, "expected"), ("[]", .notObject, "object"),
            ("7", .notObject, "command"), (#"{"type":"x","type":"x"}"#, .duplicateKey, "`type`"),
            (
                #"{"type":"\#("upload")","x":\#(String(repeating: "[", count: 70))\#(String(repeating: "]", count: 70))}"#,
                .tooDeep, "64"
            ), (#"{"events":[]}"#, .badType, "events"), (#"{"events":1}"#, .notObject, "object"),
            ("{}", .unknownCommand, "absent"),
            (#"{"type":""}"#, .unknownCommand, "absent"),
            (#"{"type":null}"#, .unknownCommand, "absent"),
            (#"{"type":"forget"}"#, .unknownCommand, "forget"),
            (#"{"type":"Upload"}"#, .unknownCommand, "Upload"),
            (#"{"type":7}"#, .badType, "`type`"),
            (#"{"type":"delete"}"#, .notYet, "delete"),
            (#"{"type":"upload","op":"add"}"#, .badType, "`cohort`"),
            (#"{"type":"upload","cohort":"","op":"add"}"#, .badType, "`cohort`"),
            (#"{"type":"upload","cohort":7,"op":"add"}"#, .badType, "`cohort`"),
            (#"{"type":"upload","cohort":"c"}"#, .badType, "`op`"),
            (#"{"type":"upload","cohort":"c","op":"ADD"}"#, .badType, "`op`"),
            (#"{"type":"upload","cohort":"c","op":true}"#, .badType, "`op`"),
            (#"{"type":"identify","user_properties":[]}"#, .badType, "user_properties"),
        ]
        for row in rows {
            let (read, text) = Self.read(row.value)
            #expect(read == .rejected(row.reason), "\(row.value)")
            #expect(text.contains(row.names), "\(row.value): \(text)")
        }
        #expect(Self.read(upload, key: nil).read == .rejected(.missingID))
        #expect(Self.read(upload, key: []).read == .rejected(.missingID))
        #expect(Self.read(upload, key: [0xff]).read == .rejected(.notUTF8))
        let long = [UInt8](repeating: 0x61, count: 1025)
        #expect(Self.read(upload, key: long).read == .rejected(.badType))
        #expect(
            Self.read(upload, key: Array(long.dropFirst())).read
                == .upload(
                    user: String(repeating: "a", count: 1024),
                    cohort: "c",
                    isIn: true,
                    at: 5
                )
        )
        #expect(Self.read(upload, timestamp: nil).read == .rejected(.badTime))
        #expect(Self.read(upload, timestamp: .max / 4).read == .rejected(.badTime))
        #expect(Self.read(upload, bytesMax: 20).read == .rejected(.tooLarge))
        #expect(
            Self.read(
                Array(upload.utf8) + [0xff],
                key: [0x61],
                timestamp: 5,
                bytesMax: 1 << 20
            ).read == .rejected(.notUTF8)
        )
    }
}
