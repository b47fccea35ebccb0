import Destinations
import Testing

@Suite("The redactor")
struct RedactorTests {
    private func redactor(_ secrets: String...) -> Redactor {
        let redactor = Redactor()
        for secret in secrets { redactor.learn(SecretText(secret)) }
        return redactor
    }

    @Test("replaces every secret, its parts and the base64 inside, wherever they stand")
    func replaced() {
        let pair = "\(WebhookSecretTests.first) \(WebhookSecretTests.second)"
        let redactor = redactor("hunter2", "hunter2hunter2", pair, "abc")
        #expect(redactor.redact("hunter2 hunter2hunter2, hunter") == "*** ***, hunter")
        #expect(redactor.redact("key MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.") == "key ***.")
        #expect(redactor.redact("(\(WebhookSecretTests.second))") == "(***)")
        #expect(redactor.redact(pair) == "***")
    }

    @Test(
        "replaces the tokens of a URL where a server repeats its path, and leaves words and hosts"
    )
    func tokens() {
        let redactor = redactor(
            "https://hooks.example.com/services/T0123456789abcdef?k=0123456789abcdefg"
        )
        #expect(
            redactor.redact("hooks.example.com: no /services/T0123456789abcdef?k=0123456789abcdefg")
                == "hooks.example.com: no /services/***?k=***"
        )
    }

    @Test("leaves alone what is too short to be hidden without telling it")
    func short() {
        #expect(redactor("abc").redact("abc") == "abc")
        #expect(redactor("").redact("text") == "text")
        #expect(Redactor().redact("text") == "text")
    }

    @Test("finds a secret as a line of JSON has it")
    func escaped() {
        let redactor = redactor("pass\"word\\1\n")
        #expect(redactor.redact(#"{"x":"pass\"word\\1\n"}"#) == #"{"x":"***"}"#)
        #expect(redactor.redact("pass\"word\\1") == "***")
    }

    @Test("a secret that came later is known, and the one before it still is")
    func later() {
        let redactor = redactor("CANARY-old")
        redactor.learn(SecretText("CANARY-new"))
        #expect(redactor.redact("CANARY-old, CANARY-new, CANARY") == "***, ***, CANARY")
    }

    @Test("bytes at both ends and next to each other are replaced")
    func edges() {
        let redactor = redactor("KEY1")
        #expect(redactor.redact(Array("KEY1KEY1 KEY KEY1".utf8)) == Array("****** KEY ***".utf8))
        #expect(redactor.redact([]) == [])
    }
}
