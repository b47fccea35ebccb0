import Basics
import Templates
import TestKit
import Testing

@Suite("Mapping users to identifiers")
struct IdentityTests {
    /// The cells that a user gets, or why none.
    private func cells(
        _ identity: String,
        _ values: [String: String]
    ) throws -> Result<[String], MappingRefusal> {
        var text = TestTemplate()
        text.identity = identity
        text.members =
            "{change: {method: POST, path: /u, body: {users: {$each: changes, item: '${u.row}'}}}}"
        let template = try template(text.text)
        let mapped = try changes([TestUser("", true, values)], template)
        if let refusal = mapped.refused[0] { return .failure(refusal) }
        return .success(
            template.identity.names.indices.map { index in
                mapped.list.withRow(0) { MappedRow.cell(index, of: $0).string }
            }
        )
    }

    @Test(
        "normalisers",
        arguments: [
            ("trim", " \t Test \n", "Test"), ("trim", "\u{a0}é\u{2003}", "é"),
            ("lower", "TEST@É.COM", "test@é.com"), ("upper", "aß é", "ASS É"),
            ("lower", "İ", "i̇"), ("nfkd", "ﬁé", "fie\u{301}"), ("nfkd", "plain", "plain"),
            ("strip_spaces", " a b\tc\u{3000}é", "abcé"),
            ("digits", "+1 (555) 123-4567", "15551234567"), ("digits", "٣4", "4"),
            ("strip_leading_zeros", "00012030", "12030"),
            ("strip_punct", "O'Brien-Smith, Jr.", "OBrienSmith Jr"),
            ("strip_punct", "O’Brien «é»", "OBrien é"),
            ("letters_only", "St. Gallen 9000 é", "StGallené"),
            ("first_char", "éa", "é"), ("first_char", "abc", "a"), ("pad2", "7", "07"),
            ("pad2", "12", "12"), ("pad2", "x", "x"), ("us_state", "New York", "ny"),
            ("us_state", "CA", "CA"), ("zip5", "94105-1234", "94105"), ("zip5", "94105", "94105"),
            ("zip5", "SW1A-1AA", "SW1A1AA"),
            ("slug100", "Big spenders, née 2026!", "Big-spenders-nee-2026-"),
        ]
    )
    func normalisers(name: String, value: String, expected: String) throws {
        let identity = "{keys: [{name: id, from: props.x, normalise: [\(name)]}]}"
        #expect(try cells(identity, ["props.x": value]) == .success([expected]))
    }

    @Test("hashes are those of the partners' documentation, and never of nothing")
    func hashes() throws {
        let email = "{keys: [{name: e, from: props.x, normalise: [trim, lower], hash: sha256_hex}]}"
        #expect(
            try cells(email, ["props.x": " Test@Example.COM"])
                == .success(["973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"])
        )
        #expect(try cells(email, ["props.x": "  "]) == .failure(.noValue))
        let phone =
            "{keys: [{name: p, from: props.x, normalise: [digits, strip_leading_zeros], hash: sha256_hex}]}"
        #expect(
            try cells(phone, ["props.x": "+1 (555) 123-4567"])
                == .success(["d6736136ea896c1bfdc553e0e86e702c70d060d805696ca3e4e9e0961353860a"])
        )
        #expect(try cells(phone, ["props.x": "+0000000000"]) == .failure(.noValue))
        let base64 = "{keys: [{name: p, from: props.x, hash: sha256_b64}]}"
        #expect(
            try cells(base64, ["props.x": "abc"])
                == .success(["ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="])
        )
        let md5 = "{keys: [{name: p, from: props.x, hash: md5_hex}]}"
        #expect(
            try cells(md5, ["props.x": "abc"]) == .success(["900150983cd24fb0d6963f7d28e17f72"])
        )
    }

    @Test("a hash is not hashed again")
    func prehashed() throws {
        let hash = SHA256.hexDigits(Array("x".utf8)).uppercased()
        let keys = "keys: [{name: e, from: props.x, match: '@', hash: sha256_hex}]"
        #expect(try cells("{\(keys)}", ["props.x": hash]) == .failure(.alreadyHashed))
        #expect(
            try cells("{prehashed: accept, \(keys)}", ["props.x": hash])
                == .success([hash.lowercased()])
        )
    }

    @Test("the first key with a value; otherwise the reason a person can mend")
    func first() throws {
        let identity =
            "{keys: [{name: e, from: props.e, match: '@', max_bytes: 5}, {name: p, from: props.p}]}"
        #expect(try cells(identity, ["props.e": "a@b", "props.p": "1"]) == .success(["a@b", ""]))
        #expect(try cells(identity, ["props.e": "ab", "props.p": "1"]) == .success(["", "1"]))
        #expect(try cells(identity, ["props.e": "ab"]) == .failure(.badFormat))
        #expect(try cells(identity, ["props.e": "a@bbbb"]) == .failure(.tooLong))
        #expect(try cells(identity, [:]) == .failure(.noValue))
    }

    @Test("all keys, of which one at least must be one of those required")
    func all() throws {
        let identity =
            "{pick: all, require: [e], keys: [{name: e, from: props.e}, {name: c, from: props.c}]}"
        #expect(try cells(identity, ["props.e": "a", "props.c": "b"]) == .success(["a", "b"]))
        #expect(try cells(identity, ["props.e": "a"]) == .success(["a", ""]))
        #expect(try cells(identity, ["props.c": "b"]) == .failure(.noValue))
    }

    @Test("exactly one key with a value")
    func exactlyOne() throws {
        let identity =
            "{pick: exactly_one, keys: [{name: e, from: props.e}, {name: p, from: props.p}]}"
        #expect(try cells(identity, ["props.p": "1"]) == .success(["", "1"]))
        #expect(try cells(identity, ["props.e": "a", "props.p": "1"]) == .failure(.severalValues))
    }

    @Test("a key for anonymous users is not sent of others")
    func onlyIf() throws {
        let identity =
            "{pick: all, keys: [{name: u, from: user_id}, {name: d, from: device_id, only_if: anonymous}]}"
        #expect(try cells(identity, ["user_id": "u1", "device_id": "d1"]) == .success(["u1", ""]))
        #expect(try cells(identity, ["device_id": "d1"]) == .success(["", "d1"]))
    }

    @Test("whether anybody has to keep the identifiers")
    func dependsOnUserID() throws {
        let braze = try IdentityMapper(
            try shipped("braze-attributes").identity,
            decompose: decompose
        )
        #expect(braze.dependsOnUserIDOnly)
        let meta = try IdentityMapper(
            try shipped("meta-custom-audiences").identity,
            decompose: decompose
        )
        #expect(!meta.dependsOnUserIDOnly)
        #expect(
            meta.sources.map(\.name) == [
                "user_id", "props.email", "props.phone", "props.first_name", "props.last_name",
                "props.zip", "props.country", "props.idfa",
            ]
        )
    }
}

@Suite("Patterns")
struct PatternTests {
    private func matches(_ pattern: String, _ value: String) throws -> Bool {
        var text = TestTemplate()
        text.identity = "{keys: [{name: id, from: props.x, match: '\(pattern)'}]}"
        let mapped = try changes([TestUser("", true, ["props.x": value])], try template(text.text))
        return mapped.refused.isEmpty
    }

    @Test(
        "find what other kinds of expressions find",
        arguments: [
            (#"^[^@\s]+@[^@\s]+$"#, "a@b", true), (#"^[^@\s]+@[^@\s]+$"#, "a b@c", false),
            (#"^[^@\s]+@[^@\s]+$"#, "s@s", true), (#"^\w{1,255}$"#, "a_B9", true),
            (#"^\w{1,255}$"#, "a-b", false),
            (#"^[a-z0-9.-]+\.talon\.one$"#, "a.b-c.talon.one", true),
            (#"^[a-z0-9.-]+\.talon\.one$"#, "a.talonxone", false),
            (#"^[\]\[\\^-]+$"#, #"[]\^-"#, true),
            (#"^[\]\[\\^-]+$"#, "a", false), (#"^\d\D\s\S\W$"#, "1a b!", true), ("b", "abc", true),
            (#"^\$\.\*\+\?\(\)\{\}\|\^\\\[\]$"#, #"$.*+?(){}|^\[]"#, true), ("^é.$", "éa", true),
            ("^(act_)?[0-9]+$", "act_17", true), ("x|y", "zy", true),
        ]
    )
    func find(pattern: String, value: String, expected: Bool) throws {
        #expect(try matches(pattern, value) == expected)
    }

    @Test(
        "what others understand otherwise is refused",
        arguments: [
            (#"a\b"#, #""\b" is not known"#), ("a*?", "one repetition follows another"),
            ("a{2", "\"{\" without its \"}\""), ("a{9999}", "no repetition up to 1024"),
            ("[[:alpha:]]", "\"[\" in a class"), ("[a", "\"[\" without its \"]\""),
            ("(a", "\"(\" without its \")\""), ("a)", "\")\" without its \"(\""),
            ("((a{99}){99}){99}", "repetitions are too large together"),
            (#"(a)\1"#, #""\1" is not known"#),
        ]
    )
    func refused(pattern: String, expected: String) {
        var text = TestTemplate()
        text.identity = "{keys: [{name: id, from: props.x, match: '\(pattern)'}]}"
        let problems = problems(text.text)
        #expect(problems.count == 1)
        #expect(problems.first?.contains(expected) == true, "\(problems)")
    }
}
