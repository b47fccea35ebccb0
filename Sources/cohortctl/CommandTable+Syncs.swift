import Arguments

extension CommandTable {
    private static let statuses = """
        Exit status: 0, 1 no such sync or nothing to do, 64 usage, 66 --key cannot be read, 69 the daemon \
        cannot be reached or cannot answer now, 74 stdout cannot be written, 77 the daemon refuses to answer.
        """

    static let syncs = Command(
        group: "syncs",
        summary: "Looks at syncs of the running daemon and steers them",
        options: connection,
        commands: [
            Command(
                "list",
                summary: "Lists syncs: how they stand, and why one does not go on",
                details: statuses,
                examples: ["cohortctl syncs list"]
            ),
            one(
                "show",
                summary: "Shows one sync with its counts and its last run",
                details: "",
                example: "cohortctl syncs show abandoners-crm"
            ),
            one(
                "run",
                summary: "Begins a run now",
                details: """
                    A realtime sync sends everyone again, at a tenth of what the destination's limits allow. \
                    Files and topics of Kafka have no use for that, and refuse it.
                    """,
                example: "cohortctl syncs run abandoners-crm"
            ),
            one(
                "pause",
                summary: "Sends nothing until 'resume'",
                details: "Nothing is lost: what changes meanwhile is sent afterwards.",
                example: "cohortctl syncs pause abandoners-crm"
            ),
            one(
                "resume",
                summary: "Goes on after a pause, a refusal or a failure",
                details: """
                    Users who were skipped are tried again. What waits because many users would leave goes on \
                    waiting; that is for 'approve'.
                    """,
                example: "cohortctl syncs resume abandoners-crm"
            ),
            one(
                "approve",
                summary: "Lets a change pass that waits because many users would leave",
                details: """
                    Says first how many would leave, and does nothing without --yes. A change waits where \
                    it goes over the sync's guard.
                    """,
                options: [.flag("--yes", "Lets them leave.")],
                example: "cohortctl syncs approve abandoners-crm --yes"
            ),
        ]
    )

    private static func one(
        _ name: String,
        summary: String,
        details: String,
        options: [Option] = [],
        example: String
    ) -> Command {
        Command(
            name,
            summary: summary,
            details: details.isEmpty ? statuses : "\(details)\n\n\(statuses)",
            options: options,
            operands: [.one("ID", "The sync's id.")],
            examples: [example]
        )
    }
}
