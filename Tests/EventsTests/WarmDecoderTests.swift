import Basics
import Testing

@testable import Events

/// Makes records whose objects often have the same names in the same order, and often not quite.
private struct Records {
    var random: SeededGenerator

    private static let names = [
        "a", "b", "key", "price", "plan", "country", "a.b", "", "$set", "$add", "$unset",
        "$clearAll",
        "exactly_twenty_eight_bytes__", "exactly_twenty_nine_bytes____",
        "more_than_thirty_two_bytes_in_all_",
        "é", "ключ", "sixteen_bytes_xx",
    ]
    /// The order of members that most objects of one record keep to.
    private static let orders = [
        [0, 1, 2, 3], [3, 2, 1], [0, 1, 4, 5], [0, 2, 3, 5, 8], [12, 13, 14, 0], [15, 16, 0, 1],
        [7, 6, 17],
    ]

    mutating func record() -> [UInt8] {
        let text =
            random.chance(percent: 15)
            ? "{\"events\":[" + (0..<random.below(4)).map { _ in event() }.joined(separator: ",")
                + "]}"
            : event()
        var bytes = Array(text.utf8)
        if random.chance(percent: 12) {
            let place = random.below(bytes.count)
            switch random.below(4) {
            case 0: bytes.removeLast(bytes.count - place)
            case 1: bytes[place] = UInt8(random.below(256))
            case 2: bytes.insert(random.pick(Array("{}[]:,\"\\ 0\n".utf8)), at: place)
            default: bytes.remove(at: place)
            }
        }
        return bytes
    }

    private mutating func event() -> String {
        var members = [
            ("user_id", "\"u\(random.below(20))\""),
            ("event_type", random.pick(["\"x\"", "\"y\"", "\"$identify\""])),
            ("time", random.pick(["1700000000000", "1.5e3", "\"2024-01-01T00:00:00Z\""])),
        ]
        if random.chance(percent: 70) { members.insert(("device_id", text()), at: 1) }
        if random.chance(percent: 60) { members.append(("insert_id", text())) }
        if random.chance(percent: 30) { members.append(("platform", text())) }
        if random.chance(percent: 80) { members.append(("event_properties", object(2))) }
        if random.chance(percent: 50) { members.append(("user_properties", object(2))) }
        if random.chance(percent: 10) { members.append((random.pick(Self.names), value(2))) }
        return write(members)
    }

    private mutating func object(_ depth: Int) -> String {
        var places = random.pick(Self.orders)
        // An order of its own now and then, which may hold a name twice.
        if random.chance(percent: 5) { places.append(random.below(Self.names.count)) }
        if random.chance(percent: 10) { places.remove(at: random.below(places.count)) }
        if random.chance(percent: 5) { places.swapAt(0, random.below(places.count)) }
        if random.chance(percent: 1) { places = Array(0..<Self.names.count) }
        return write(places.map { (Self.names[$0], value(depth + 1)) })
    }

    private mutating func write(_ members: [(String, String)]) -> String {
        // One style of white space for most objects; some have their own.
        let spaces = random.chance(percent: 80) ? 0 : random.number(in: 1...3)
        let space = ["", " ", "\n\t", "          "][spaces]
        var members = members
        if random.chance(percent: 1) { members.append(random.pick(members)) }
        let texts = members.map { name, value in
            "\(space)\"\(escaped(name))\"\(spaces > 1 ? space : ""):\(space)\(value)"
        }
        return "{" + texts.joined(separator: ",") + "\(spaces > 1 ? space : "")}"
    }

    /// The name, now and then written otherwise.
    private mutating func escaped(_ name: String) -> String {
        guard random.chance(percent: 4), let first = name.utf8.first, first < 0x80 else {
            return name
        }
        let digits = String(first, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits + name.dropFirst()
    }

    private mutating func value(_ depth: Int) -> String {
        switch random.below(depth > 9 ? 6 : 8) {
        case 0, 1: text()
        case 2: "\(random.below(100_000))"
        case 3: "-\(random.below(1000)).\(random.below(1000))"
        case 4: random.pick(["true", "false", "null", "1e5", "0"])
        case 5: random.pick(["{}", "[]", "{ }", "[1,\"a\",{\"a\":1}]"])
        case 6: object(depth)
        default: "[\(object(depth)),\(value(depth + 1))]"
        }
    }

    private mutating func text() -> String {
        let parts = [
            "a", "text ", "é", "😀", "\\n", "\\\"", "\\u00e9", "\\\\",
            "a piece that is longer than lanes ",
        ]
        return "\"" + (0..<random.below(4)).map { _ in random.pick(parts) }.joined() + "\""
    }
}

@Suite("A decoder that remembers what objects look like")
struct WarmDecoderTests {
    private static let extraction = Extraction(
        eventProperties: ["a", "key", "price", "a.b", "exactly_twenty_eight_bytes__", "é"],
        userProperties: ["plan", "country", "a", "platform"]
    )

    private static func decoder(_ implementation: String? = nil) -> EventDecoder {
        EventDecoder(
            extraction: extraction,
            eventBytesMax: 1 << 16,
            futureMax: 1 << 50,
            implementation: implementation
        )
    }

    @Test(
        "It answers as a new one does, and as one that only walks by tokens, whatever it has seen before",
        arguments: 1...4
    )
    func sameAsNew(_ seed: Int) {
        var records = Records(random: SeededGenerator(seed: UInt64(seed)))
        var warm = Self.decoder()
        var byTokens = Self.decoder(EventDecoder.implementations[0])
        var refused: [RejectReason: Int] = [:]
        let rounds = 2_000
        for round in 0..<rounds {
            let bytes = records.record()
            var new = Self.decoder()
            let expected = outcomes(of: bytes, &new, .replay)
            let seen = outcomes(of: bytes, &warm, .replay)
            let other = outcomes(of: bytes, &byTokens, .replay)
            if case .rejected(let reason) = seen.first { refused[reason, default: 0] += 1 }
            guard seen == expected, other == expected else {
                Issue.record(
                    """
                    seed \(seed), round \(round): \(seen), \(other) by tokens, but \(expected) of a new one: \
                    \(String(decoding: bytes, as: UTF8.self))
                    """
                )
                return
            }
            guard case .rejected? = seen.last else { continue }
            guard warm.rejectText == new.rejectText, warm.rejectText == byTokens.rejectText else {
                Issue.record(
                    "seed \(seed), round \(round): \(warm.rejectText), not \(new.rejectText)"
                )
                return
            }
        }
        // The harness is alive: most are taken, and it makes what must be noticed.
        #expect(refused.values.reduce(0, +) < rounds / 2)
        #expect(refused[.duplicateKey, default: 0] > 50)
        #expect(refused[.notJSON, default: 0] > 100)
        #expect(refused[.notUTF8, default: 0] > 5)
    }

    /// Where an object of members can be: what is before it and behind it.
    static let places = [
        ("{\"user_id\":\"u\",\"event_type\":\"x\",", "}"),
        ("{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1,\"event_properties\":{", "}}"),
        ("{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1,\"user_properties\":{", "}}"),
        (
            "{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1,\"user_properties\":{\"$set\":{",
            "}}}"
        ),
        (
            "{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1,\"user_properties\":{\"$add\":{",
            "}}}"
        ),
        ("{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1,\"other\":[{", "}]}"),
        (
            "{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1,\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{",
            "}}}}}}}"
        ),
        (
            "{\"events\":[{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1,\"event_properties\":{",
            "}}]}"
        ),
    ]

    @Test("A key twice is found behind any part of what is known by heart", arguments: places)
    func duplicates(_ open: String, _ close: String) {
        let names = (0..<40).map { "\"n\($0)\"" }
        func record(_ names: [String]) -> [UInt8] {
            let members =
                names.map { "\($0):1" } + (open.contains("\"time\"") ? [] : ["\"time\":1"])
            return Array((open + members.joined(separator: ",") + close).utf8)
        }
        var decoder = Self.decoder()
        // One name a record is learnt, and some of what is learnt here are other ways.
        for round in 0..<120 {
            let known = round % 3 == 0 ? Array(names.reversed()) : Array(names[..<(1 + round % 40)])
            #expect(outcomes(of: record(known), &decoder, .replay).first?.decoded != nil)
        }
        for last in [1, 2, 7, 31, 32, 33, 38, 39] {
            for first in stride(from: 0, to: last, by: 5) {
                for twice in [
                    names[first], "\"\\u006e\(names[first].dropFirst(2))", " \(names[first])",
                ] {
                    var given = names
                    given[last] = twice
                    #expect(
                        outcomes(of: record(given), &decoder, .replay) == [
                            .rejected(.duplicateKey)
                        ],
                        "\(twice) at \(last)"
                    )
                    given = Array(names[...last]) + [twice]
                    #expect(
                        outcomes(of: record(given), &decoder, .replay) == [
                            .rejected(.duplicateKey)
                        ],
                        "\(twice) behind \(last)"
                    )
                }
            }
        }
        #expect(outcomes(of: record(names), &decoder, .replay).first?.decoded != nil)
    }

    @Test("More names than are remembered change no answer")
    func manyNames() {
        var random = SeededGenerator(seed: 5)
        var decoder = Self.decoder()
        for round in 0..<3_000 {
            let names = (0..<random.number(in: 1...6)).map { _ in "k\(random.below(400))" }
            let isTwice = Set(names).count < names.count
            let members = names.map { "\"\($0)\":\"\($0)\"" }.joined(separator: ",")
            let json = #"{"user_id":"u","event_type":"x","time":1,"user_properties":{\#(members)}}"#
            let seen = outcomes(of: Array(json.utf8), &decoder, .replay)
            if isTwice {
                #expect(seen == [.rejected(.duplicateKey)], "seed 5, round \(round)")
            } else {
                #expect(
                    seen.first?.decoded?.assignments == names.map { "\($0)=\"\($0)\"" },
                    "seed 5, round \(round)"
                )
            }
        }
    }

    @Test("Other wanted names are found under keys that were known before")
    func otherExtraction() {
        let json = Array(
            #"{"user_id":"u","event_type":"x","time":1,"price":7,"event_properties":{"a":1,"b":2,"key":3}}"#
                .utf8
        )
        var decoder = Self.decoder()
        for _ in 0..<10 { _ = outcomes(of: json, &decoder, .replay) }
        decoder.setExtraction(Extraction(eventProperties: ["b", "price", "a"], userProperties: []))
        for _ in 0..<10 {
            #expect(outcomes(of: json, &decoder, .replay).first?.decoded?.event == ["2", "7", "1"])
        }
    }
}
