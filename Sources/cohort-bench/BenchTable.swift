import Arguments
import Basics

/// The benchmarks of cohort-bench: what its arguments and its help are made from.
enum BenchTable {
    static let program = Program(
        "cohort-bench",
        summary: "Measures cohortd, and makes traffic for it",
        version: Version.text,
        commands: [
            ingest,
            cohorts,
            memory,
            tick,
            Command(
                "sync",
                summary: "Sends a cohort to a partner who is not there and says what it cost",
                details: """
                    Plans, journals, renders and judges the batches of a cohort whose users all enter, on one \
                    thread, with a partner who answers every request at once and the same way. No byte leaves \
                    the machine, and the partner's limits cost no time. Then lets 1,000 ticks without a change \
                    pass, and says what the ledger takes. Build with 'swift build -c release'.

                    Exit status: 0, 64 usage, 66 the template is missing, 74 stdout cannot be written, 78 the \
                    template is wrong.
                    """,
                options: [
                    .one("--template", "FILE", required: true, "A template of a destination."),
                    .several(
                        "--setting",
                        "NAME=VALUE",
                        "A setting of the template; made up ones will do, secret ones too."
                    ),
                    .one("--users", "N", "Members of the cohort. Default: 1000000."),
                    .one("--answer-status", "N", "What the partner answers. Default: 200."),
                    .one("--answer-body", "TEXT", "The body of that answer. Default: none."),
                    .one(
                        "--output",
                        "FORMAT",
                        "json prints one object; text, the default, is for people."
                    ),
                ],
                examples: [
                    "cohort-bench sync --template config/destinations/templates/talon-one.yaml "
                        + "--setting api_key=x --setting deployment=x.talon.one --answer-status 204"
                ]
            ),
            Command(
                "latency",
                summary: "Measures how long a user takes from the event to the webhook",
                details: """
                    Runs librdkafka's in-process broker, a producer, the daemon with a tick of a second and a \
                    webhook receiver in this process. One event in a hundred is of a new user, who enters a \
                    cohort by it; measured is from the publishing of that event to the request that names the \
                    user. All of it shares the machine's cores. Build with 'swift build -c release'.

                    Exit status: 0, 64 usage, 74 it could not run or stdout cannot be written.
                    """,
                options: [
                    .one("--rate", "N", "Events a second. Default: 50000."),
                    .one("--seconds", "N", "For how long events are published. Default: 20."),
                    .one(
                        "--output",
                        "FORMAT",
                        "json prints one object; text, the default, is for people."
                    ),
                ],
                examples: ["cohort-bench latency --rate 50000 --seconds 20"]
            ),
        ] + kafka + [restore, generate]
    )
}
