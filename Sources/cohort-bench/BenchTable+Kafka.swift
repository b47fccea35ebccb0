import Arguments

extension BenchTable {
    static let json = Option.one(
        "--output",
        "FORMAT",
        "json prints one object; text, the default, is for people."
    )
    private static let ticks: [Option] = [
        .one("--tick", "D", "Distance of ticks, at least 1s. Default: 60s."),
        .one(
            "--until",
            "T",
            "Last tick, exactly. Default: of each partition the first at or after its last arrival."
        ),
        .flag(
            "--tick-at-end",
            "Ticks once, at --until, after the last record, as a daemon that catches up does."
        ),
    ]
    private static let runs: [Option] =
        [
            .several("--cohorts", "PATH", required: true, "Files and folders of definitions."),
            .one(
                "--config",
                "FILE",
                "Takes what 'cohortctl replay' takes from this cohortd.yaml."
            ),
        ] + ticks + [
            .flag(
                "--durable",
                "Writes state as a daemon does, and ends the clock when the last of it is durable."
            ),
            .one("--deltas", "TOPIC", "Publishes every enter and exit to this topic."),
            .repeated("--property", "NAME=VALUE", "Given to librdkafka's consumer."),
            .one("--data-in", "FOLDER", "Where a folder for state is made. Default: /tmp."),
        ]

    /// The benchmarks around Kafka.
    static let kafka: [Command] = [
        Command(
            "kafka",
            summary: "Measures the engine behind a broker, in turns with what it is compared with",
            details: """
                Starts librdkafka's in-process broker with the events in it (or fills the broker of \
                --bootstrap), each in the partition of its user, and checks that nothing of them was dropped. \
                Then rounds: the program of --against, which is given BOOTSTRAP TOPIC PARTITIONS N, and the \
                daemon's engine thread over the same topic, each in a process of its own on one core, with \
                the broker on another. A round's ratio is events by CPU time of all threads, the client's \
                included, divided by what the program says ('cpu 1.02s = 1960784 msgs/s per core').

                With --threads, rounds of one thread and of that many, without cores set; all events are in \
                the client's queue, and the broker is stopped, before the clock starts, and wall time is \
                compared.

                Each partition ticks by event time, as a replay does, so the enters and exits are those of \
                'cohort-bench ingest'. Printed are medians, and the rounds.

                Exit status: 0, 2 a definition is invalid, 64 usage, 66 an input is missing, 74 something \
                could not run or stdout cannot be written, 78 --config is missing or wrong.
                """,
            options: [
                .one(
                    "--events",
                    "FILE",
                    required: true,
                    "JSON Lines in the producers' format."
                )
            ] + runs + [
                .one("--against", "PROGRAM", "What to compare with."),
                .one("--threads", "N", "Compares so many engine threads with one. Default: 1."),
                .one("--partitions", "N", "Default: 64, and 8 with --threads."),
                .one("--limit", "N", "Takes the first N events."),
                .one("--rounds", "N", "Default: 3."),
                .one("--core", "N", "Where engine and program run. Default: the last."),
                .one("--bootstrap", "ADDRESS", "A broker that runs already."),
                .one("--topic", "NAME", "A new topic there. Default: events."),
                json,
            ],
            examples: [
                "cohort-bench kafka --events events.jsonl --cohorts config/cohorts "
                    + "--against ./consume_discard"
            ]
        ),
        Command(
            "kafka-publish",
            summary: "Publishes events to a broker of its own, or to one that is there",
            details: """
                A part of 'cohort-bench kafka'. Publishes each event with its user as the key and its arrival, \
                as a replay reckons it, as the time, compares the offsets of the broker with what was \
                published, and prints one JSON object. Its own broker runs until stdin ends; it keeps 5 MiB \
                of a partition, compressed.

                Exit status: 0, 64 usage, 66 the file is missing, 74 the broker has something else than what \
                was published, or stdout cannot be written.
                """,
            options: [
                .one(
                    "--events",
                    "FILE",
                    required: true,
                    "JSON Lines in the producers' format."
                ),
                .one("--bootstrap", "ADDRESS", "A broker that runs already."),
                .one("--topic", "NAME", "Default: events."),
                .one("--partitions", "N", "Default: 64."),
                .one("--limit", "N", "Publishes the first N events."),
                .one("--compression", "CODEC", "none, gzip, snappy, lz4 or zstd. Default: lz4."),
            ],
            examples: ["cohort-bench kafka-publish --events events.jsonl --partitions 64"]
        ),
        Command(
            "kafka-engine",
            summary: "Runs the daemon's engine threads over a topic and says what that cost",
            details: """
                A part of 'cohort-bench kafka'. Reads what the topic holds when it starts, from the first \
                record to the last, ticks every partition by event time, and stops the clock after the last \
                tick. Figures are CPU time of the process and wall time from when the group has given it the \
                partitions.

                Exit status: 0, 2 a definition is invalid, 64 usage, 66 an input is missing, 74 something \
                could not run or stdout cannot be written, 78 --config is missing or wrong.
                """,
            options: [
                .one("--bootstrap", "ADDRESS", required: true, "The broker."),
                .one("--topic", "NAME", "Default: events."),
            ] + runs + [
                .one("--threads", "N", "Engine threads. Default: 1."),
                .flag(
                    "--preload",
                    "Prints 'preloaded' when everything is in the client's queue, and starts the clock "
                        + "when it has read a line."
                ),
                json,
            ],
            examples: [
                "cohort-bench kafka-engine --bootstrap 127.0.0.1:9092 --cohorts config/cohorts"
            ]
        ),
    ]
}
