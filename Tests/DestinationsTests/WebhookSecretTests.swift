import Basics
import Destinations
import Testing

@Suite("Webhook secrets and signatures")
struct WebhookSecretTests {
    static let first = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let second = "whsec_Y29ob3J0ZC10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm"

    private func secret(_ text: String) throws -> WebhookSecret {
        try WebhookSecret(SecretText(text))
    }

    @Test("the signature of the Standard Webhooks project's own test value is the published one")
    func publishedVector() throws {
        let signature = try secret(Self.first).signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: 1_614_265_330,
            body: Array(#"{"test": 2432232314}"#.utf8)
        )
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test("the signature of a cohort body is the one computed by another implementation")
    func cohortVector() throws {
        let body =
            #"{"type":"cohort.entered","timestamp":"2026-01-02T03:04:00Z","data":"#
            + #"{"cohort_id":"7khm89cz","in_cohort":true,"users":[{"user_id":"u1"}]}}"#
        let signature = try secret(Self.second).signature(
            id: "7khm89cz-enter-29455384-0",
            timestamp: 1_767_323_040,
            body: Array(body.utf8)
        )
        #expect(signature == "v1,l7dVwHxUOVHU2yTKdJ7L74sfEQEVTHAUCixil0kR/Yc=")
    }

    @Test("the signature of the example in docs/destinations/webhook.md is the one shown there")
    func documentedExample() throws {
        let id = "7d444840-9dc0-41d1-b245-5ffdce74fad2::enter::0"
        let body =
            #"{"cohort_name":"Cart abandoners","cohort_id":"cart-abandoners","in_cohort":true,"#
            + #""computed_time":"1767323040","message_id":"\#(id)","#
            + #""users":[{"user_id":"u1"},{"user_id":"u2"}]}"#
        // Computed with Python's hmac module.
        let signature = "v1,1Xk0IrBsfqyO9uKq8kiogMSG0CnCtU8TX3LZsmecOGs="
        #expect(
            try secret(Self.second).verify(
                id: id,
                timestamp: "1767323040",
                body: Array(body.utf8),
                signature: signature
            )
        )
    }

    @Test("several secrets give one signature each, in their order")
    func rotation() throws {
        let one = try secret(Self.first).signature(id: "a", timestamp: 1, body: [])
        let two = try secret(Self.second).signature(id: "a", timestamp: 1, body: [])
        let both = try secret("\(Self.first) \(Self.second)")
        #expect(both.signature(id: "a", timestamp: 1, body: []) == "\(one) \(two)")
    }

    @Test("one newline at the end is cut, a second one refuses the secret")
    func newline() throws {
        let plain = try secret(Self.first).signature(id: "a", timestamp: 1, body: [])
        let cut = try secret(Self.first + "\n").signature(id: "a", timestamp: 1, body: [])
        #expect(cut == plain)
        #expect(throws: SecretError.self) { try secret(Self.first + "\n\n") }
    }

    @Test(
        "anything else is refused with the remedy and without the value",
        arguments: [
            "", " ", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_", "whsec_CANARYCANARY", "whsec_CANARY!9r8GKYqrTwjUPD8ILPZIo2LaLa",
            "whsec_CANARYr8GKYqrTwjUPD8ILPZIo2LaLaSwA", "\(first)  \(second)", " \(first)",
            "\(first) ", "\(first),\(second)", "whsec_" + String(repeating: "AAAA", count: 22),
            // Left-over bits: a second spelling of the same bytes.
            "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
        ]
    )
    func refused(_ text: String) throws {
        let error = #expect(throws: SecretError.self) { try secret(text) }
        let shown = "\(try #require(error))"
        #expect(shown.contains("whsec_ and the base64 of 24 to 64 random bytes"))
        #expect(!shown.contains("CANARY") && !shown.contains("MfKQ9"))
    }

    @Test("24 and 64 bytes are taken", arguments: [32, 88])
    func lengths(characterCount: Int) throws {
        let base64 = String(repeating: "A", count: characterCount == 88 ? 86 : 32)
        _ = try secret("whsec_" + base64 + (characterCount == 88 ? "==" : ""))
    }

    @Test("a receiver accepts what was signed by any of its keys and nothing changed")
    func verification() throws {
        let body = Array("body".utf8)
        let signature = try secret(Self.first).signature(id: "a", timestamp: 7, body: body)
        let receiver = try secret("\(Self.second) \(Self.first)")
        func accepts(
            _ signature: String,
            id: String = "a",
            time: String = "7",
            body: [UInt8] = body
        ) -> Bool {
            receiver.verify(id: id, timestamp: time, body: body, signature: signature)
        }
        #expect(accepts(signature))
        #expect(accepts("v1a,AAAA v1,AAAA \(signature)"))
        #expect(!accepts(signature, id: "b"))
        #expect(!accepts(signature, time: "8"))
        #expect(!accepts(signature, body: body + [0]))
        #expect(!accepts(""))
        #expect(!accepts(String(signature.dropFirst(3))))
        let stranger = try secret("whsec_" + String(repeating: "A", count: 32))
        #expect(!stranger.verify(id: "a", timestamp: "7", body: body, signature: signature))
    }

    @Test("a secret prints as *** however it is printed")
    func printing() throws {
        let secret = try secret(Self.first)
        let text = SecretText("CANARY")
        var dumped = ""
        dump((secret, text), to: &dumped)
        for shown in ["\(secret)", String(reflecting: secret), "\(text)", String(reflecting: text)]
        {
            #expect(shown == "***")
        }
        #expect(!dumped.contains("CANARY") && !dumped.contains("77"))
        #expect("\(SecretError.notAWebhookSecret(reason: "x"))".contains("x"))
    }

    @Test("base64 is that of RFC 4648, both ways")
    func base64() {
        let pairs = [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ]
        for (plain, encoded) in pairs {
            #expect(Base64.encode(Array(plain.utf8)) == encoded)
            #expect(Base64.decode(encoded) == Array(plain.utf8))
        }
        for text in [
            "Z", "Zg", "Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm-_",
        ] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }

    @Test("random bytes are as many as asked for and not the same twice")
    func random() {
        #expect(SecureRandom.bytes(count: 0).isEmpty)
        #expect(SecureRandom.bytes(count: 33).count == 33)
        #expect(SecureRandom.bytes(count: 32) != SecureRandom.bytes(count: 32))
        #expect(SecureRandom.seed() != SecureRandom.seed())
    }
}
