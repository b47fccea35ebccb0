import Arguments

/// The commands that change what a running daemon works with.
extension CommandTable {
    private static let statuses = """
        Exit status: 0, 1 refused (stderr says why, and nothing changed), 64 usage, 66 a file cannot be read, \
        69 the daemon or Kafka cannot be reached or cannot answer now, 74 stdout cannot be written, 77 the daemon \
        refuses to answer.
        """

    static let cohortChanges = [
        Command(
            "apply",
            summary: "Makes a cohort of the daemon, or another one of it, from a definition",
            details: """
                The definition is checked with all others and used at once, or not at all. It is kept in Kafka's \
                control topic, not in a file; a cohort of a file is changed there. One that looks at \
                events which were not kept is filled from Kafka's oldest records first, and sends nothing until it \
                is whole; where those are gone it is refused.

                \(statuses) Besides: 2 the file has no definition, or not one.
                """,
            options: [
                .flag("--from-now", "Lets it begin without history that is gone from Kafka.")
            ],
            operands: [.one("FILE", "One definition, YAML or JSON.")],
            examples: ["cohortctl cohorts apply big-spenders.yaml"]
        ),
        Command(
            "delete",
            summary: "Deletes a cohort that 'apply' made",
            details: """
                What was kept for it is freed. A cohort that a sync or another cohort names is not deleted: \
                remove those first. A cohort of a file is deleted there.

                \(statuses)
                """,
            operands: [.one("ID", "The cohort's id.")],
            examples: ["cohortctl cohorts delete big-spenders"]
        ),
        Command(
            "accept",
            summary: "Lets the next definition of a cohort begin without history that is gone",
            details: """
                For a cohort of a file, before a reload that would be refused because Kafka lacks the \
                events its new definition looks at. It is good for one change.

                \(statuses)
                """,
            options: [.flag("--from-now", "Says from when on the cohort is complete; required.")],
            operands: [.one("ID", "The cohort's id.")],
            examples: ["cohortctl cohorts accept monthly --from-now"]
        ),
    ]

    static let reload = Command(
        "reload",
        summary: "Lets the daemon read its configuration again",
        details: """
            As SIGHUP: all of it is used, or nothing where there is a problem, which is printed.

            \(statuses)
            """,
        options: connection,
        examples: ["cohortctl reload"]
    )
}
