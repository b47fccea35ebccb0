import Arguments

extension CommandTable {
    static let destinationTest = Command(
        "test",
        summary: "Shows what a destination gets, and with --send tries it",
        details: """
            Reads the configuration and prints the requests, records or files for two made-up users: one \
            who enters, one who leaves. Secrets are shown as ***, and may be missing. Nothing is sent.

            With --send it talks to the real partner with the real secrets: it makes the list \
            cohortd-test where the template has lists, adds one test user, removes the same user, and \
            prints how each request ended. The list stays. Of file and file-csv it looks only whether \
            the folder can be written; kafka-topic, kafka-table and s3-csv do not take --send.

            Exit status: 0, 1 there is no such destination or something was not taken, 64 usage, 74 stdout \
            cannot be written, 78 the configuration has problems or a secret cannot be read.
            """,
        options: [
            .one("--config", "FILE", "The configuration. Default: /etc/cohortd/cohortd.yaml."),
            .flag("--send", "Adds and removes one test user at the real destination."),
            .one("--user", "ID", "The test user. Default: cohortd-test-user."),
        ],
        operands: [.one("NAME", "The destination's id.")],
        examples: [
            "cohortctl destinations test crm --config config/cohortd.yaml",
            "cohortctl destinations test crm --send --user test-account-1",
        ]
    )
}
