import Arguments
import Basics

/// The commands of cohortctl: what its arguments, its help and its documentation are made from.
enum CommandTable {
    private static let address = Option.one(
        "--address",
        "URL",
        "Where the daemon listens. Default: COHORTD_ADDRESS, else http://127.0.0.1:8080."
    )
    /// Where the daemon is and who asks.
    private static let caller = [
        address,
        Option.one(
            "--key",
            "REFERENCE",
            "The key that the daemon asks for, as env:NAME or file:/PATH. Default: env:COHORTD_KEY, if that is set."
        ),
        Option.flag(
            "--insecure",
            "Sends the key over plain http to another machine, where others may read it."
        ),
        Option.one(
            "--ca",
            "FILE",
            "Trusts these CA certificates (PEM) for https instead of the system's."
        ),
    ]
    static let connection =
        caller + [
            Option.one(
                "--output",
                "FORMAT",
                "json prints the API's bodies; text, the default, is for people."
            )
        ]

    private static let statuses = """
        Exit status: 0, 1 no such cohort, 64 usage, 66 --key cannot be read, 69 the daemon cannot be \
        reached or cannot answer now, 74 stdout cannot be written, 77 the daemon refuses to answer.
        """

    static let program = Program(
        "cohortctl",
        summary: "Checks and tries cohort definitions, and asks a running cohortd",
        version: Version.text,
        commands: [
            Command(
                "validate",
                summary: "Checks cohort definitions without running anything",
                details: """
                    A folder stands for its *.yaml, *.yml and *.json, not deeper. Every problem is shown \
                    with its place and a remedy.

                    Exit status: 0 valid, 2 a definition is invalid, 64 usage, 66 a path cannot be read, \
                    78 --config is missing or wrong.
                    """,
                options: [
                    .one(
                        "--config",
                        "FILE",
                        "A cohortd.yaml whose timezone and other settings the definitions are read with."
                    )
                ],
                operands: [.several("PATH", "Files and folders of definitions.")],
                examples: ["cohortctl validate config/cohorts"]
            ),
            replay,
            Command(
                group: "import",
                summary: "Turns definitions of other products into ours",
                commands: [
                    Command(
                        "amplitude",
                        summary: "Prints Amplitude's cohort definitions as YAML of ours",
                        details: """
                            Takes a definition of version 3, a cohort of Amplitude's API with one, or the \
                            answer of GET /api/3/cohorts. A clause is translated exactly or left out; what \
                            is left out is named on stderr and in a comment.

                            Exit status: 0, 1 something was left out, 2 the file is no such JSON, 64 usage, \
                            66 the file cannot be read, 74 stdout cannot be written.
                            """,
                        operands: [.one("FILE", "Amplitude's JSON.")],
                        examples: [
                            "cohortctl import amplitude cohort.json > config/cohorts/imported.yaml"
                        ]
                    )
                ]
            ),
            Command(
                "status",
                summary: "Shows what the daemon is doing: partitions, lag, ticks, syncs",
                details: statuses,
                options: connection,
                examples: ["cohortctl status"]
            ),
            top,
            Command(
                group: "cohorts",
                summary: "Looks at cohorts of the running daemon and changes them",
                options: connection,
                commands: cohortChanges + [
                    Command(
                        "list",
                        summary: "Lists cohorts with their state and size",
                        details: statuses,
                        examples: ["cohortctl cohorts list"]
                    ),
                    Command(
                        "show",
                        summary: "Shows one cohort with its definition",
                        details: """
                            With --output json it prints the cohort's part of the body of GET /v1/cohorts.

                            \(statuses)
                            """,
                        operands: [.one("ID", "The cohort's id.")],
                        examples: ["cohortctl cohorts show active-now"]
                    ),
                    Command(
                        "members",
                        summary: "Prints the ids of a cohort's members, one a line",
                        details: """
                            Ids come by their bytes, page after page. With --output json each page's body is \
                            a line of its own; take it where an id may hold a line feed.

                            \(statuses)
                            """,
                        operands: [.one("ID", "The cohort's id.")],
                        examples: ["cohortctl cohorts members active-now | head"]
                    ),
                ]
            ),
            syncs,
            reload,
            kafka,
            Command(
                group: "time",
                summary: "Says that the daemon's clock is right",
                options: connection,
                commands: [
                    Command(
                        "accept",
                        summary: "Lets ticks go on from what the clock says",
                        details: """
                            A clock that runs ahead of what is expected by more than five minutes makes no \
                            ticks, so that nobody leaves a cohort by it; 'status' shows that as a reason. \
                            Accept it only where it is right: everyone whose time is over by it leaves.

                            Exit status: 0, 1 nothing is held or it cannot be accepted, 64 usage, 66 --key cannot \
                            be read, 69 the daemon cannot be reached or cannot answer now, 74 stdout cannot be \
                            written, 77 the daemon refuses to answer.
                            """,
                        examples: ["cohortctl time accept"]
                    )
                ]
            ),
            Command(
                group: "destinations",
                summary: "Tries destinations before anything is synced to them",
                commands: [destinationTest]
            ),
        ]
    )

    private static let top = Command(
        "top",
        summary: "Shows live how the daemon does: rate, lag, ticks, memory, syncs",
        details: """
            Looks every --interval, and shows how much went by since the look before. On a terminal it has the \
            screen until Ctrl-C, and waits for a daemon that is away; elsewhere it prints one look after \
            another, and ends where the daemon does not answer. EVENTS and SENT are a second's, TICK and \
            SNAPSHOT how long ago the last one was by the clock of this machine.

            Exit status: 0, 64 usage, 66 --key cannot be read, 69 the daemon cannot be reached or cannot \
            answer now, 74 stdout cannot be written, 77 the daemon refuses to answer.
            """,
        options: [
            .one(
                "--interval",
                "D",
                "How long between two looks, 100ms … 1h. Default: 2s."
            ),
            .flag("--once", "Looks twice, prints the second look and ends."),
        ] + caller + [
            .one(
                "--output",
                "FORMAT",
                "json prints a look as one object in a line; text, the default, is for people."
            )
        ],
        examples: ["cohortctl top", "cohortctl top --once --interval 10s --output json"]
    )

    private static let replay = Command(
        "replay",
        summary: "Runs the daemon's engine over a file of events and prints who is in",
        details: """
            Events are JSON Lines in the producers' format, applied in file order. A line arrives at its \
            server_received_time, else at its time, and never before the line above it. Instants are RFC \
            3339 or epoch milliseconds.

            Exit status: 0, 2 a definition is invalid (nothing is run), 3 an event was rejected, 64 usage, \
            66 an input is missing, 74 an output cannot be written, 78 --config is missing or wrong.
            """,
        options: [
            .several("--cohorts", "PATH", required: true, "Files and folders of definitions."),
            .one("--events", "FILE", required: true, "JSON Lines; - is stdin."),
            .one(
                "--config",
                "FILE",
                """
                Takes timezone, inactive_events, identify, dedupe, limits and kafka.event_bytes_max from \
                this cohortd.yaml.
                """
            ),
            .one("--from", "T", "First tick at or after this instant. Default: the first arrival."),
            .one(
                "--until",
                "T",
                "Last tick, exactly. Default: the first at or after the last arrival."
            ),
            .one("--tick", "D", "Distance of ticks, at least 1s. Default: 60s."),
            .several(
                "--at",
                "T",
                "Ticks at just these instants; not with --from, --until, --tick."
            ),
            .flag("--unordered", "Takes all events first, then the ticks."),
            .several(
                "--upload",
                "COHORT=FILE",
                "Members of a cohort with uploaded: true, one id a line, known at every tick."
            ),
            .one("--deltas", "OUT", "Writes enters and exits as JSON Lines; - is stdout."),
            .one(
                "--members",
                "OUT",
                """
                Writes the members at the last tick as JSON Lines; - is stdout. Default where neither is \
                given: --members -.
                """
            ),
            .flag("--allow-rejects", "Exit status 0 although events were rejected."),
        ],
        examples: [
            """
            cohortctl replay --cohorts config/cohorts --events events.jsonl --deltas deltas.jsonl \
            --members -
            """
        ]
    )
}
