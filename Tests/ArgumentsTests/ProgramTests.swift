import Arguments
import Testing

private let program = Program(
    "tool",
    summary: "does things",
    version: "1.2.3",
    options: [.one("--address", "URL", "Where the daemon is (default http://127.0.0.1:8080).")],
    commands: [
        Command(
            "replay",
            summary: "Run definitions over a file",
            details: "The same engine.\n\nOn event time.",
            options: [
                .several("--cohorts", "PATH", required: true, "Definitions."),
                .one("--events", "FILE", required: true, "Events; - is stdin."),
                .one("--from", "TIME", "The first tick."),
                .several("--at", "TIME", "Ticks."),
                .flag("--unordered", "All events first."),
                .repeated("--set", "PATH=VALUE", "One value of the configuration."),
            ],
            examples: ["tool replay --cohorts config/cohorts --events events.jsonl"]
        ),
        Command(
            "validate",
            summary: "Check definitions",
            operands: [.several("PATH", "Files and folders.")],
            examples: ["tool validate config/cohorts"]
        ),
        Command(
            group: "cohorts",
            summary: "Ask about cohorts",
            options: [.flag("--json", "Print JSON.")],
            examples: ["tool cohorts list"],
            commands: [
                Command("list", summary: "List them", examples: ["tool cohorts list"]),
                Command(
                    "show",
                    summary: "Show one",
                    operands: [.one("ID", "A cohort.")],
                    examples: ["tool cohorts show big-spenders"]
                ),
                Command(
                    "members",
                    summary: "Who is in",
                    operands: [.one("ID", "A cohort."), .optional("FILE", "Where to.")],
                    examples: ["tool cohorts members big-spenders"]
                ),
            ]
        ),
    ]
)

private func parsed(_ arguments: String...) throws -> ParsedArguments {
    guard case .run(let parsed) = try program.parse(arguments) else {
        Issue.record("\(arguments) asks for a text")
        return ParsedArguments(command: [])
    }
    return parsed
}

private func refusal(_ arguments: String...) -> String {
    do throws(UsageError) {
        _ = try program.parse(arguments)
        return "(taken)"
    } catch {
        return String(error.description.split(separator: "\n")[0])
    }
}

@Suite("Arguments that are taken")
struct AcceptedArgumentTests {
    @Test("a value follows its option or an equals sign")
    func values() throws {
        let spaced = try parsed("replay", "--cohorts", "c", "--events", "e", "--from", "5")
        let joined = try parsed("replay", "--cohorts=c", "--events=e", "--from=5")
        #expect(spaced == joined)
        #expect(spaced.command == ["replay"])
        #expect(spaced.value("--from") == "5")
        #expect(spaced.value("--events") == "e")
        #expect(!spaced.flag("--unordered"))
        #expect(spaced.values("--at").isEmpty)
    }

    @Test("an option with several values takes them up to the next option and may be repeated")
    func several() throws {
        let arguments = try parsed(
            "replay",
            "--cohorts",
            "a",
            "b",
            "--unordered",
            "--at",
            "1",
            "2",
            "--events",
            "e",
            "--cohorts",
            "c"
        )
        #expect(arguments.values("--cohorts") == ["a", "b", "c"])
        #expect(arguments.values("--at") == ["1", "2"])
        #expect(arguments.flag("--unordered"))
    }

    @Test("a dash alone and a negative number are values")
    func dashes() throws {
        let arguments = try parsed(
            "replay",
            "--cohorts",
            "-",
            "--events",
            "-",
            "--from",
            "-1000",
            "--at",
            "-5",
            "-6"
        )
        #expect(arguments.value("--events") == "-")
        #expect(arguments.value("--from") == "-1000")
        #expect(arguments.values("--at") == ["-5", "-6"])
        #expect(arguments.values("--cohorts") == ["-"])
    }

    @Test("the value after an equals sign may be anything, also empty or with equals signs")
    func equals() throws {
        let arguments = try parsed(
            "replay",
            "--cohorts=--odd",
            "--events=",
            "--set=a=b=c",
            "--set",
            "d=e"
        )
        #expect(arguments.values("--cohorts") == ["--odd"])
        #expect(arguments.value("--events") == "")
        #expect(arguments.values("--set") == ["a=b=c", "d=e"])
    }

    @Test("a double dash ends the options")
    func doubleDash() throws {
        #expect(try parsed("validate", "a", "--", "--odd", "--").operands == ["a", "--odd", "--"])
        let arguments = try parsed("--", "cohorts", "show", "x")
        #expect(arguments.command == ["cohorts", "show"])
        #expect(arguments.operands == ["x"])
    }

    @Test("options of the program and of a group stand anywhere after they are known")
    func inherited() throws {
        let arguments = try parsed("--address", "u", "cohorts", "--json", "list")
        #expect(arguments == (try parsed("cohorts", "list", "--address=u", "--json")))
        #expect(arguments.value("--address") == "u")
        #expect(arguments.flag("--json"))
    }

    @Test("operands may be left out from the right")
    func operands() throws {
        #expect(try parsed("cohorts", "members", "a").operands == ["a"])
        #expect(try parsed("cohorts", "members", "a", "b").operands == ["a", "b"])
    }

    @Test("asking for an option that the table does not have is stopped")
    func unknownQuery() async {
        await #expect(processExitsWith: .failure) {
            _ = ParsedArguments(command: ["x"]).flag("--typo")
        }
    }
}

@Suite("Arguments that are refused")
struct RefusedArgumentTests {
    @Test("unknown options and commands name the nearest")
    func unknown() {
        #expect(
            refusal("replay", "--cohort", "c")
                == "tool replay: unknown option --cohort (did you mean --cohorts?)"
        )
        #expect(refusal("replay", "--zzz") == "tool replay: unknown option --zzz")
        #expect(refusal("-h") == "tool: unknown option -h (did you mean --help?)")
        #expect(
            refusal("reply")
                == "tool: unknown command \"reply\" (did you mean replay?); commands: replay validate cohorts"
        )
        #expect(
            refusal("cohorts", "lst")
                == "tool cohorts: unknown command \"lst\" (did you mean list?); commands: list show members"
        )
        #expect(
            refusal("--events", "e", "replay")
                == "tool: unknown option --events; it stands after the command"
        )
    }

    @Test("missing commands, options, values and operands are named")
    func missing() {
        #expect(refusal() == "tool: a command is missing: replay validate cohorts")
        #expect(refusal("cohorts") == "tool cohorts: a command is missing: list show members")
        #expect(refusal("replay", "--events", "e") == "tool replay: --cohorts PATH is missing")
        #expect(refusal("replay", "--events") == "tool replay: --events needs a value (FILE)")
        #expect(
            refusal("replay", "--cohorts", "--events", "e")
                == "tool replay: --cohorts needs a value (PATH) before --events"
        )
        #expect(refusal("validate") == "tool validate: PATH is missing")
        #expect(refusal("cohorts", "show") == "tool cohorts show: ID is missing")
    }

    @Test("what is too much is named")
    func tooMuch() {
        #expect(
            refusal("cohorts", "show", "a", "b")
                == "tool cohorts show: \"b\" is one argument too many"
        )
        #expect(
            refusal("replay", "--cohorts", "c", "--events", "e", "--events", "f")
                == "tool replay: --events is given twice"
        )
        #expect(refusal("replay", "--unordered=yes") == "tool replay: --unordered takes no value")
        #expect(
            refusal("replay", "stray", "--cohorts", "c", "--events", "e")
                == "tool replay: \"stray\" is one argument too many"
        )
    }

    @Test("every refusal says where help is")
    func seeHelp() {
        #expect(throws: UsageError("tool replay: unknown option --x\nSee 'tool replay --help'.")) {
            try program.parse(["replay", "--x"])
        }
    }
}

@Suite("Help")
struct HelpTests {
    private func text(_ arguments: String...) throws -> String {
        guard case .show(let text) = try program.parse(arguments) else { return "(run)" }
        return text
    }

    @Test("the version is printed wherever it is asked for")
    func version() throws {
        #expect(try text("--version") == "tool 1.2.3\n")
        #expect(try text("cohorts", "list", "--version") == "tool 1.2.3\n")
    }

    @Test("the help of the program lists every command")
    func programHelp() throws {
        #expect(
            try text("--help") == """
                tool: does things

                Usage: tool COMMAND [OPTIONS]

                Commands:
                  replay           Run definitions over a file
                  validate         Check definitions
                  cohorts list     List them
                  cohorts show     Show one
                  cohorts members  Who is in

                Options:
                  --address URL  Where the daemon is (default http://127.0.0.1:8080).
                  --help         Print this help.
                  --version      Print the version.

                'tool COMMAND --help' says more about a command.

                """
        )
    }

    @Test(
        "the help of a command shows usage, options and an example, also without its required options"
    )
    func commandHelp() throws {
        #expect(
            try text("replay", "--unordered", "--help") == """
                tool replay: Run definitions over a file

                Usage: tool replay --cohorts PATH… --events FILE [--from TIME] [--at TIME…] [--unordered]
                        [--set PATH=VALUE]

                The same engine.

                On event time.

                Options:
                  --cohorts PATH…   Definitions. Required. Repeatable.
                  --events FILE     Events; - is stdin. Required.
                  --from TIME       The first tick.
                  --at TIME…        Ticks. Repeatable.
                  --unordered       All events first.
                  --set PATH=VALUE  One value of the configuration. Repeatable.
                  --address URL     Where the daemon is (default http://127.0.0.1:8080).
                  --help            Print this help.
                  --version         Print the version.

                Example:
                  tool replay --cohorts config/cohorts --events events.jsonl

                """
        )
    }

    @Test("the help of a group lists its commands; a command of it names its operands")
    func groupHelp() throws {
        #expect(try text("cohorts", "--help").contains("  members  Who is in\n"))
        let members = try text("cohorts", "members", "--help")
        #expect(members.contains("Usage: tool cohorts members ID [FILE]\n"))
        #expect(members.contains("Arguments:\n  ID    A cohort.\n  FILE  Where to.\n"))
        #expect(members.contains("  --json         Print JSON.\n"))
    }

    @Test("lines of a long text are broken between words")
    func wrapping() throws {
        let words = Array(repeating: "word", count: 60).joined(separator: " ")
        let long = Program(
            "p",
            summary: "s",
            version: "1",
            commands: [
                Command(
                    "c",
                    summary: "x",
                    details: words,
                    options: [.flag("--flag", words)],
                    examples: ["p c"]
                )
            ]
        )
        guard case .show(let text) = try long.parse(["c", "--help"]) else { return }
        let lines = text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 100 })
        #expect(lines.contains { $0.count > 90 })
    }
}
