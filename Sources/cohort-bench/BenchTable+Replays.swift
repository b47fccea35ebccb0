import Arguments

extension BenchTable {
    /// `--output`, which every command has.
    static let output = Option.one(
        "--output",
        "FORMAT",
        "json prints one object; text, the default, is for people."
    )

    static let ingest = Command(
        "ingest",
        summary: "Runs a whole replay in memory and says what it cost",
        details: """
            Decodes, deduplicates, applies and ticks on one thread, as 'cohortctl replay' does, and \
            counts the enters and exits instead of writing them. The file of events is in memory \
            before the clock starts. Build with 'swift build -c release'; a debug build is many \
            times slower.

            Figures are CPU time of the process and wall time; memory is what the engine reserved, \
            and how much the process grew, for each user.

            Heap allocations are those of the second half of the file, by its events: the first half is \
            warming up.

            With --against, PROGRAM FILE and a run of ours in a process of its own take turns. The \
            program parses the events and does nothing else; it prints lines such as 'mode \
            per-line,walk-all: 2000000 events 1.551s 1289477 events/s', of which the better one is the \
            denominator of our events a second of wall time.

            Exit status: 0, 1 the enters and exits are not those of --expect-flips or PROGRAM read \
            another number of events, 2 a definition is invalid or cannot be evaluated, 64 usage, 66 \
            an input is missing, 69 PROGRAM cannot be run or does not say what it measured, 74 stdout \
            cannot be written, 78 --config is missing or wrong.
            """,
        options: [
            .one(
                "--events",
                "FILE",
                required: true,
                "JSON Lines in the producers' format."
            ),
            .several(
                "--cohorts",
                "PATH",
                required: true,
                "Files and folders of definitions."
            ),
        ] + ReplayOptions.table + [
            .one(
                "--against",
                "PROGRAM",
                "What our events a second are divided by: a program that only parses."
            ),
            .one(
                "--repeat",
                "N",
                "Runs, each in a process of its own; best and median are printed. Default: 3 with "
                    + "--against, else one run in this process."
            ),
            .one(
                "--expect-flips",
                "N",
                "How many enters and exits there must be; others are an error, after the report."
            ),
            .flag(
                "--drop-input",
                "Reads the file as it goes and lets go of what is read, so that it counts in no peak "
                    + "of memory. Costs some speed."
            ),
            output,
        ],
        examples: [
            "cohort-bench ingest --events events.jsonl --cohorts config/cohorts",
            "cohort-bench ingest --events events.jsonl --cohorts config/cohorts "
                + "--against ./parse_only --expect-flips 947768",
        ]
    )

    static let cohorts = Command(
        "cohorts",
        summary: "Compares the rates with few and with many cohorts",
        details: """
            Runs 'cohort-bench ingest' over the same events with the definitions of --cohorts and with those of \
            --more-cohorts in turns, each in a process of its own, and divides the events a second of CPU time \
            with more cohorts by those with fewer. Build with 'swift build -c release'.

            Exit status: 0, 2 a definition is invalid or cannot be evaluated, 64 usage, 66 an input is missing, \
            69 a run failed, 74 stdout cannot be written, 78 --config is missing or wrong.
            """,
        options: [
            .one("--events", "FILE", required: true, "JSON Lines in the producers' format."),
            .several(
                "--cohorts",
                "PATH",
                required: true,
                "Files and folders of definitions: the denominator."
            ),
            .several(
                "--more-cohorts",
                "PATH",
                required: true,
                "Files and folders of definitions: the figure."
            ),
        ] + ReplayOptions.table + [
            .one("--repeat", "N", "Runs of each; best and median are printed. Default: 1."),
            output,
        ],
        examples: [
            "cohort-bench cohorts --events events.jsonl --cohorts config/cohorts "
                + "--more-cohorts cohorts-1000.yaml"
        ]
    )

    static let memory = Command(
        "memory",
        summary: "Says how much memory a user takes",
        details: """
            Runs 'cohort-bench ingest --drop-input' over two files of events, each in a process of its own, and \
            divides what the second process has more of memory by what it has more of users: so what a process \
            takes anyway does not count. Build with 'swift build -c release'.

            Memory is what belongs to the process alone (RssAnon) after the last tick. At the peak, when tables \
            that double are there twice, it is the most that the process ever had (VmHWM); pages of files \
            are in that, but no more in the one run than in the other.

            Exit status: 0, 1 the second file has no more users than the first, 2 a definition is invalid or \
            cannot be evaluated, 64 usage, 66 an input is missing, 69 a run failed, 74 stdout cannot be \
            written, 78 --config is missing or wrong.
            """,
        options: [
            .one("--events", "FILE", required: true, "JSON Lines of few users."),
            .one("--more-events", "FILE", required: true, "JSON Lines of many users."),
            .several("--cohorts", "PATH", required: true, "Files and folders of definitions."),
        ] + ReplayOptions.table + [output],
        examples: [
            "cohort-bench memory --events ev2m.jsonl --more-events ev10m.jsonl --cohorts config/cohorts"
        ]
    )
}
