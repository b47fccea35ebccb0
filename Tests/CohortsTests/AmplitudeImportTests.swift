import Cohorts
import Foundation
import TestKit
import Testing
import YAML

@Suite("Import of Amplitude's definitions")
struct AmplitudeImportTests {
    private static let folder = Golden.folder.appendingPathComponent("amplitude").path

    /// `UPDATE_GOLDEN=1` writes the files instead; the diff is then to be read.
    @Test(
        "is what the golden files say",
        arguments: [
            "active-30-days", "new-30-days", "retained-14-days", "active-4-weeks",
            "product-qualified-leads", "new-and-gone", "cohort-list",
        ]
    )
    func golden(_ name: String) throws {
        let json = try #require(FileManager.default.contents(atPath: "\(Self.folder)/\(name).json"))
        let cohorts = try AmplitudeImport.cohorts(in: [UInt8](json), fallbackID: name)
        let yaml = AmplitudeImport.yaml(cohorts)
        let path = "\(Self.folder)/\(name).yaml"
        if Environment.current["UPDATE_GOLDEN"] == "1" {
            try yaml.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let expected = try #require(FileManager.default.contents(atPath: path))
        #expect(yaml == String(decoding: expected, as: UTF8.self))
        // And it is a file of definitions.
        let (definitions, problems) = DefinitionParser.parse(
            [DefinitionSource(name: name, bytes: Array(yaml.utf8))],
            isTimeZone: { _ in false }
        )
        #expect(problems.isEmpty)
        #expect(definitions.count == cohorts.compactMap(\.document).count)
    }

    // MARK: What is left out

    /// One clause, with the fields of a good event clause where they are not given.
    private static func definition(_ clause: String) -> String {
        """
        {"version": 3, "andClauses": [{"negated": false, "orClauses": [\(clause)]}]}
        """
    }

    private static func event(_ changes: [String: String] = [:]) -> String {
        var fields = [
            "type": "\"event\"", "type_value": "\"Open\"", "operator": "\">=\"",
            "operator_value": "1",
            "time_type": "\"rolling\"", "time_value": "7",
        ]
        fields.merge(changes) { $1 }
        let text = fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
        return definition("{\(text.joined(separator: ", "))}")
    }

    private static func cohort(_ json: String) throws -> AmplitudeImport.Cohort {
        try #require(AmplitudeImport.cohorts(in: Array(json.utf8), fallbackID: "a").first)
    }

    /// Changed fields of a clause and a part of the reason for leaving it out.
    struct Left: Sendable, CustomTestStringConvertible {
        let fields: [String: String]
        let place: String
        let reason: String
        var testDescription: String { "\(fields)" }

        init(_ fields: [String: String], _ reason: String, place: String = "") {
            (self.fields, self.reason, self.place) = (fields, reason, place)
        }

        init(filter: String, _ reason: String) {
            self.init(["filters": "[{\(filter)}]"], reason, place: ".filters[0]")
        }
    }

    @Test(
        "a clause that is not wholly known is left out and says why",
        arguments: [
            Left(["type": "\"funnel\""], "clauses of type funnel are not known"),
            Left(["type": "7"], "a clause needs a type"),
            Left(["something": "1"], "the field something is not known"),
            Left(["time_type": "\"absolute\""], "time_type absolute is not known"),
            Left(["time_type": "null"], "time_type is expected"),
            Left(["time_value": "[1, 2]"], "one positive number of days"),
            Left(["time_value": "0"], "one positive number of days"),
            Left(["time_value": "40000"], "40000d is out of range"),
            Left(["interval": "7"], "intervals other than 1"),
            Left(["offset": "-1"], "the offset is negative"),
            Left(["exclude_current_interval": "\"no\""], "is true or false"),
            Left(["group_by": "[\"x\"]"], "group_by"),
            Left(["metric": "\"sum\""], "metric"),
            Left(["operator": "\"~\""], "the operator ~ is not known"),
            Left(["operator": "\"=\"", "operator_value": "0"], "puts nobody in for a count = 0"),
            Left(["operator": "\"<\"", "operator_value": "1"], "puts nobody in for a count < 1"),
            Left(["operator": "\"<=\"", "operator_value": "0"], "puts nobody in for a count <= 0"),
            Left(["operator_value": "1.5"], "operator_value is expected to be an integer"),
            Left(["operator_value": "2000000000"], "cannot be 2000000000"),
            Left(["type_value": "\"ce:Signup\""], "the custom event ce:Signup"),
            Left(["type_value": "\"verified_revenue\""], "which events make up"),
            Left(["type_value": "\"*\""], "cannot be named"),
            Left(["type_value": "\"\""], "type_value is expected"),
            Left(
                ["type_value": "\"_new\"", "operator_value": "2"],
                "can be neither counted nor filtered"
            ),
            Left(["filters": "7"], "filters is expected to be a list"),
            Left(
                filter:
                    #""subprop_type":"event","subprop_key":"a","subprop_op":"is not set","subprop_value":["b"]"#,
                "the operator is not set has no counterpart"
            ),
            Left(
                filter:
                    #""subprop_type":"derived","subprop_key":"a","subprop_op":"is","subprop_value":["b"]"#,
                "properties of type derived"
            ),
            Left(
                filter:
                    #""subprop_type":"user","subprop_key":"paying","subprop_op":"is","subprop_value":["b"]"#,
                "the built-in property paying"
            ),
            Left(
                filter:
                    #""subprop_type":"event","subprop_key":"a","subprop_op":"less","subprop_value":["1","2"]"#,
                "less is expected to have one value"
            ),
            Left(
                filter:
                    #""subprop_type":"event","subprop_key":"a","subprop_op":"is","subprop_value":["(none)","2"]"#,
                "(none) beside other values"
            ),
            Left(
                filter:
                    #""subprop_type":"event","group_type":"org","subprop_key":"a","subprop_op":"is","subprop_value":["2"]"#,
                "properties of groups"
            ),
        ]
    )
    func leftOut(_ left: Left) throws {
        let cohort = try Self.cohort(Self.event(left.fields))
        #expect(cohort.document == nil)
        #expect(cohort.omissions.map(\.path) == ["andClauses[0].orClauses[0]\(left.place)"])
        let reason = cohort.omissions.first?.reason ?? ""
        #expect(reason.contains(left.reason), "\(reason)")
    }

    @Test("operands that our language refuses are left out with its own words")
    func refusedOperand() throws {
        let filter =
            #"{"subprop_type":"event","subprop_key":"a","subprop_op":"greater","subprop_value":["x"]}"#
        let cohort = try Self.cohort(Self.event(["filters": "[\(filter)]"]))
        #expect(cohort.document == nil)
        #expect(cohort.omissions.count == 1)
    }

    @Test("the others of an OR and of an AND stay")
    func others() throws {
        let good = #"{"type":"new_active","type_value":"new","time_type":"rolling","time_value":7}"#
        let json = """
            {"andClauses": [
              {"negated": false, "orClauses": [{"type": "x"}, \(good)]},
              {"negated": true, "orClauses": [\(good), {"type": "x"}]},
              {"negated": false, "orClauses": [{"type": "x"}]},
              {"negated": false, "orClauses": []}
            ]}
            """
        let cohort = try Self.cohort(json)
        #expect(
            cohort.omissions.map(\.path) == [
                "andClauses[0].orClauses[0]", "andClauses[1].orClauses[1]",
                "andClauses[2].orClauses[0]",
                "andClauses[3]",
            ]
        )
        #expect(
            cohort.document?.yaml == """
                id: a
                users:
                  all:
                    - new: {last: 7d}
                    - not: {new: {last: 7d}}

                """
        )
    }

    @Test("counts that 0 satisfies speak of users with the event only")
    func zeroCounts() throws {
        func count(_ sign: String, _ number: Int) throws -> String? {
            let fields = ["operator": "\"\(sign)\"", "operator_value": "\(number)"]
            let yaml = try Self.cohort(Self.event(fields)).document?.yaml
            let start = "id: a\nusers: {performed: "
            return yaml?.replacing(start, with: "").replacing("}\n", with: "")
        }
        #expect(try count(">=", 0) == "{event: Open, last: 7d}")
        #expect(try count(">=", 2) == "{event: Open, count: {gte: 2}, last: 7d}")
        #expect(try count(">", 0) == "{event: Open, count: {gt: 0}, last: 7d}")
        #expect(try count("=", 2) == "{event: Open, count: {is: 2}, last: 7d}")
        #expect(try count("<=", 2) == "{event: Open, count: {gte: 1, lte: 2}, last: 7d}")
        #expect(try count("<", 2) == "{event: Open, count: {gte: 1, lt: 2}, last: 7d}")
        #expect(try count("!=", 2) == "{event: Open, count: {gte: 1, is_not: 2}, last: 7d}")
        #expect(try count("≠", 0) == "{event: Open, count: {is_not: 0}, last: 7d}")
    }

    @Test("a definition of something else than users is left out as a whole")
    func wholeDefinitions() throws {
        let clause = """
            "andClauses": [{"negated": false, "orClauses": [
              {"type":"new_active","type_value":"new","time_type":"rolling","time_value":7}]}]
            """
        for (field, path) in [
            (#""countGroup": {"name": "org"}"#, "countGroup"),
            (#""countGroup": {"name": "User", "is_computed": true}"#, "countGroup"),
            (#""cohortType": "TOTALS""#, "cohortType"),
            (#""referenceFrameTimeParams": {"a": 1}"#, "referenceFrameTimeParams"),
            (#""else": 1"#, "else"),
        ] {
            let cohort = try Self.cohort("{\(field), \(clause)}")
            #expect(cohort.document == nil)
            #expect(cohort.omissions.map(\.path) == [path])
        }
    }

    @Test("a list of uploaded users becomes one of ours, and its users are missing")
    func uploaded() throws {
        let cohort = try Self.cohort(#"{"version": 3, "andClauses": []}"#)
        #expect(cohort.document?.yaml == "id: a\nusers: {uploaded: true}\n")
        #expect(cohort.omissions.map(\.path) == ["andClauses"])
    }

    @Test("ids are made of names and unique")
    func ids() throws {
        let definition = #"{"andClauses": []}"#
        let names = [
            "Café Größe", "caf gre", "!!!", "'s", String(repeating: "x", count: 80),
            String(repeating: "x", count: 80),
        ]
        let list = names.map { #"{"name": "\#($0)", "definition": \#(definition)}"# }
        let cohorts = try AmplitudeImport.cohorts(
            in: Array("[\(list.joined(separator: ","))]".utf8),
            fallbackID: "My File"
        )
        let ids = cohorts.map { cohort -> String in
            String(cohort.document?.yaml.split(separator: "\n").first?.dropFirst(4) ?? "")
        }
        let long = String(repeating: "x", count: 64)
        #expect(ids == ["caf-gre", "caf-gre-2", "my-file", "s", long, "\(long.prefix(62))-2"])
    }

    @Test(
        "what is no definition is refused as a whole",
        arguments: [
            "", "[]", "{}", "7", "id: a\nusers: {new: {}}\n", #"{"cohorts": []}"#,
            #"{"cohorts": [{}]}"#,
            #"{"version": 2, "andClauses": []}"#, #"{"version": 3, "andClauses": []"#,
            #"{"andClauses": [], "andClauses": []}"#, #"{"definition": {}}"#, "\u{1}",
        ]
    )
    func notAmplitude(_ text: String) {
        #expect(throws: AmplitudeImport.NotAmplitude.self) {
            try AmplitudeImport.cohorts(in: Array(text.utf8), fallbackID: "a")
        }
    }

    @Test("no damage to a file makes a trap")
    func damage() throws {
        let json = [UInt8](
            try #require(FileManager.default.contents(atPath: "\(Self.folder)/new-and-gone.json"))
        )
        var accepted = 0
        // Without the blanks of the layout.
        let bytes = json.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
        for place in stride(from: 0, to: bytes.count, by: 3) {
            for byte in [UInt8(ascii: "0"), UInt8(ascii: "[")] {
                var damaged = bytes
                damaged[place] = byte
                do throws(AmplitudeImport.NotAmplitude) {
                    _ = AmplitudeImport.yaml(
                        try AmplitudeImport.cohorts(in: damaged, fallbackID: "a")
                    )
                    accepted += 1
                } catch { #expect(!error.text.isEmpty) }
            }
        }
        #expect(accepted > 0)
    }
}
