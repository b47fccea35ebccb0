import Arguments

extension BenchTable {
    /// The benchmark of a start.
    static let restore = Command(
        "restore",
        summary: "Measures how long a restart takes until its users are there",
        details: """
            Writes the state of many users as a daemon does, with a commit a day of their events, and opens \
            it in processes of their own: from the first look at a log until every partition is restored, \
            on the daemon's engine threads, the files being in the page cache. Compared is the time to \
            read the same files and do nothing with them. The first tick after a start is told beside it.

            Exit status: 0, 2 a definition is invalid, 64 usage, 66 an input is missing, 74 something could \
            not run or stdout cannot be written, 78 --config is missing or wrong.
            """,
        options: [
            .one("--events", "FILE", "JSON Lines in the producers' format."),
            .one(
                "--copies",
                "N",
                "Takes each event once for each of N copies of its user. Default: 6."
            ),
            .several("--cohorts", "PATH", required: true, "Files and folders of definitions."),
            .one(
                "--config",
                "FILE",
                "Takes what 'cohortctl replay' takes from this cohortd.yaml."
            ),
            .one("--partitions", "N", "Default: 8."),
            .one("--threads", "N", "Engine threads. Default: one a core."),
            .one("--rounds", "N", "Default: 3."),
            .one("--data-in", "FOLDER", "Where the folder for state is made. Default: /tmp."),
            .one("--data", "FOLDER", "Opens the logs in this folder once, and makes none."),
            json,
        ],
        examples: ["cohort-bench restore --events events.jsonl --cohorts config/cohorts"]
    )
}
