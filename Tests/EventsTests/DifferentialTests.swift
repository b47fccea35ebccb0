import Basics
import Testing

@testable import Events

/// Makes JSON documents of all shapes, and spoils them.
private struct Documents {
    var random: SeededGenerator

    mutating func document(depth: Int = 0) -> String {
        switch random.below(depth > 5 ? 6 : 9) {
        case 0: return text()
        case 1: return text()
        case 2, 3: return number()
        case 4: return random.pick(["true", "false", "null"])
        case 5: return random.pick(["[]", "{}", "[ ]", "{\n}"])
        case 6: return list("[", "]") { $0.document(depth: depth + 1) }
        default:
            return list("{", "}") {
                $0.text() + $0.space() + ":" + $0.space() + $0.document(depth: depth + 1)
            }
        }
    }

    mutating func list(
        _ open: String,
        _ close: String,
        _ item: (inout Documents) -> String
    ) -> String {
        let count = random.chance(percent: 3) ? random.below(60) : random.below(6)
        var items: [String] = []
        for _ in 0..<count { items.append(space() + item(&self) + space()) }
        return open + items.joined(separator: ",") + close
    }

    mutating func space() -> String {
        random.chance(percent: 85) ? "" : random.pick([" ", "\n", "\t\r", "                  "])
    }

    mutating func text() -> String {
        let parts = [
            "a", "b", "key", "price", "é", "€", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9",
            "\\u0000", "\\ud83d\\ude00",
            "\\uD83D\\uDE00", " ", "a longer piece of text ", "0", ".", "\\b\\f\\r\\t", "{", "]",
            ",", ":", "\u{7f}",
        ]
        var body = ""
        for _ in 0..<random.below(5) { body += random.pick(parts) }
        return "\"\(body)\""
    }

    mutating func number() -> String {
        let digits = { (random: inout SeededGenerator, most: Int) in
            (0..<random.number(in: 1...most)).map { _ in "\(random.below(10))" }.joined()
        }
        var whole = digits(&random, random.chance(percent: 10) ? 40 : 6)
        if whole.count > 1 { whole = String(whole.drop { $0 == "0" }) }
        if whole.isEmpty { whole = "0" }
        var number = random.chance(percent: 30) ? "-" + whole : whole
        if random.chance(percent: 40) {
            number += "." + digits(&random, random.chance(percent: 10) ? 30 : 4)
        }
        if random.chance(percent: 30) {
            number +=
                random.pick(["e", "E"]) + random.pick(["", "+", "-"])
                + (random.chance(percent: 20)
                    ? "\(random.number(in: 290...330))" : "\(random.below(30))")
        }
        return number
    }

    mutating func spoiled(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<random.number(in: 1...3) where !bytes.isEmpty {
            let place = random.below(bytes.count)
            switch random.below(6) {
            case 0: bytes.remove(at: place)
            case 1: bytes[place] = UInt8(random.below(256))
            case 2: bytes[place] = random.pick(Array("{}[]:,\"\\0129.eE+-truefalsn u".utf8))
            case 3: bytes.insert(random.pick(Array("{}[]:,\"\\0 u\n".utf8)), at: place)
            case 4: bytes.removeLast(bytes.count - place)
            default:
                let end = min(bytes.count, place + random.below(12))
                bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count))
            }
        }
        return bytes
    }
}

/// What refuses a whole record because of its bytes.
private let recordReasons: Set<RejectReason> = [.notUTF8, .notJSON, .tooDeep, .duplicateKey]

@Suite("The decoder against a second reading of JSON")
struct DifferentialTests {
    @Test(
        "Both accept the same documents, on every implementation, whatever is extracted",
        arguments: 1...4
    )
    func acceptance(_ seed: Int) {
        var documents = Documents(random: SeededGenerator(seed: UInt64(seed)))
        let names = EventDecoder.implementations
        #expect(!names.isEmpty)
        let everything = Extraction(
            eventProperties: ["a", "b", "key", "price", "a.b"],
            userProperties: ["a", "key", "city"]
        )
        for name in names {
            var full = EventDecoder(
                extraction: everything,
                eventBytesMax: 1 << 20,
                futureMax: 0,
                implementation: name
            )
            var bare = EventDecoder(
                extraction: Extraction(),
                eventBytesMax: 1 << 20,
                futureMax: 0,
                implementation: name
            )
            var refused = 0
            for round in 0..<600 {
                var bytes = Array(wrapped(documents.document(), round).utf8)
                if round % 3 != 0 { bytes = documents.spoiled(bytes) }
                let expected = ReferenceJSON.read(bytes).reason
                let seen = outcomes(of: bytes, &full, .replay)
                let seenBare = outcomes(of: bytes, &bare, .replay)
                let reasons = seen.map { $0.reason }
                let reason =
                    reasons.count == 1
                    ? reasons[0].flatMap { recordReasons.contains($0) ? $0 : nil } : nil
                if expected != nil { refused += 1 }
                guard reason == expected, reasons == seenBare.map({ $0.reason }) else {
                    let text = String(decoding: bytes, as: UTF8.self)
                    Issue.record(
                        "seed \(seed), \(name), round \(round): \(seen), not \(String(describing: expected)): \(text)"
                    )
                    return
                }
            }
            // The harness is alive: it makes both kinds.
            #expect(refused > 100 && refused < 550)
        }
    }

    /// A document at different places of an event, or by itself.
    private func wrapped(_ document: String, _ round: Int) -> String {
        let head = "{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1"
        return switch round % 7 {
        case 0: document
        case 1: "\(head),\"event_properties\":{\"key\":\(document)}}"
        case 2: "\(head),\"user_properties\":{\"key\":\(document),\"$set\":{\"a\":\(document)}}}"
        case 3: "\(head),\"other\":\(document)}"
        case 4: "{\"events\":[\(head)},\(document)]}"
        case 5: "\(head),\"event_properties\":\(document),\"user_properties\":\(document)}"
        default: "{\"events\":[{\"event_properties\":\(document)},\(head),\"price\":\(document)}]}"
        }
    }

    @Test("Both read the same values, on every implementation", arguments: 11...12)
    func values(_ seed: Int) {
        var documents = Documents(random: SeededGenerator(seed: UInt64(seed)))
        for name in EventDecoder.implementations {
            for round in 0..<400 {
                let document = documents.document()
                let expected = ReferenceJSON.read(Array(document.utf8))
                guard expected.reason == nil else { continue }
                let json =
                    "{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1,\"event_properties\":{\"p\":\(document)}}"
                let seen = decode(
                    Array(json.utf8),
                    Extraction(eventProperties: ["p"]),
                    implementation: name
                )
                guard seen.first?.decoded?.event == [expected.rendered] else {
                    Issue.record(
                        "seed \(seed), \(name), round \(round): \(seen), not \(expected.rendered): \(document)"
                    )
                    return
                }
            }
        }
    }

    @Test("A record cut off at any byte is refused, and never as anything but not_utf8 or not_json")
    func truncation() {
        let json = Array(
            #"""
            {"user_id":"ué😀","device_id":12,"event_type":"x","time":1.5e3,"insert_id":"\ud83d\ude00\n","country":"DE",
             "event_properties":{"a":[1,-2.5e-3,true,false,null,"x\\"],"b":{"c":{}}},"user_properties":{"$set":{"k":[]}}}
            """#.utf8
        )
        for name in EventDecoder.implementations {
            var decoder = EventDecoder(
                extraction: Extraction(eventProperties: ["a", "b.c"], userProperties: ["k"]),
                eventBytesMax: 1000,
                futureMax: 0,
                implementation: name
            )
            #expect(outcomes(of: json, &decoder, .replay)[0].decoded != nil)
            for count in 0..<json.count {
                let seen = outcomes(of: Array(json[..<count]), &decoder, .replay)
                #expect(
                    seen == [.rejected(ReferenceJSON.read(Array(json[..<count])).reason ?? .crash)]
                )
            }
        }
    }

    @Test("A text of any length lies right at any place of the record, on every implementation")
    func alignment() {
        for name in EventDecoder.implementations {
            var decoder = EventDecoder(
                extraction: Extraction(eventProperties: ["p"]),
                eventBytesMax: 1000,
                futureMax: 0,
                implementation: name
            )
            for pad in stride(from: 0, to: 70, by: 3) {
                for count in [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65] {
                    let text = String(repeating: "x", count: count)
                    let space = String(repeating: " ", count: pad)
                    let json = """
                        \(space){"user_id":"u","event_type":"x","time":1,\(space)"event_properties":{"p":"\(text)"\(space)}}
                        """
                    let seen = outcomes(of: Array(json.utf8), &decoder, .replay)
                    #expect(seen.first?.decoded?.event == ["\"\(text)\""])
                }
            }
        }
    }

    @Test("Random bytes are refused and never trap")
    func randomBytes() {
        var random = SeededGenerator(seed: 99)
        var decoder = EventDecoder(extraction: Extraction(), eventBytesMax: 1000, futureMax: 0)
        let alphabet = Array("{}[]:,\"\\ \n0123456789.eE+-truefalsnu".utf8)
        for round in 0..<8_000 {
            let bytes = (0..<random.below(80)).map { _ in
                round % 2 == 0 ? UInt8(random.below(256)) : random.pick(alphabet)
            }
            let expected = ReferenceJSON.read(bytes).reason
            let reason = outcomes(of: bytes, &decoder, .replay).first?.reason
            #expect(
                reason.flatMap { recordReasons.contains($0) ? $0 : nil } == expected,
                "seed 99, round \(round)"
            )
        }
    }
}
