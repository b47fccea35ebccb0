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
}
