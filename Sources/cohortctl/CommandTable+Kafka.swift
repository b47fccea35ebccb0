import Arguments

extension CommandTable {
    private static let statuses = """
        Exit status: 0, 1 no such partition, or it is not halted in that way, 64 usage, 69 the daemon cannot be \
        reached or cannot answer now, 74 stdout cannot be written, 77 the daemon refuses to answer.
        """

    static let kafka = Command(
        group: "kafka",
        summary:
            "Lets partitions go on that are halted, because Kafka does not have what comes next",
        options: connection,
        commands: [
            Command(
                "rebase",
                summary: "Accepts the log as Kafka has it now",
                details: """
                    For a partition whose next records are gone, whose topic was made anew, or whose log was cut \
                    and written on: it goes on at the first offset that exists, or at --at. Where the log turns \
                    out to be the same and to have what comes next, nothing is left out. Without a number every \
                    halted partition of the topic goes on, and partitions that were added are read from now on. \
                    What the partition knows is kept. Cohorts that look back over what is missing emit no exits \
                    until it is out of their sight; 'status' shows them as degraded.

                    \(statuses)
                    """,
                options: [
                    .one(
                        "--at",
                        "OFFSET",
                        "Where to go on, for one partition. Default: the first that exists."
                    )
                ],
                operands: [.one("TOPIC[/P]", "The topic, or one partition of it.")],
                examples: ["cohortctl kafka rebase events/3", "cohortctl kafka rebase events"]
            ),
            Command(
                "skip",
                summary: "Leaves out a batch that cannot be read",
                details: """
                    For a partition that is halted at a damaged batch: it goes on behind the offsets given, first \
                    and last included, of which the first must be where it stands. /readyz and the log name the \
                    offsets of the batch. Cohorts that look back over them emit no exits until they are out of \
                    sight. Asked again for the same offsets it changes nothing.

                    \(statuses)
                    """,
                operands: [
                    .one("TOPIC/P", "The partition."),
                    .one("FROM-TO", "The first and the last offset that are left out."),
                ],
                examples: ["cohortctl kafka skip events/3 120-134"]
            ),
        ]
    )
}
