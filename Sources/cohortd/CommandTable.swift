import Arguments
import Basics

/// The commands of cohortd.
enum CommandTable {
    private static let configuration = [
        Option.one(
            "--config",
            "FILE",
            "The configuration. Default: /etc/cohortd/cohortd.yaml."
        ),
        Option.repeated(
            "--set",
            "PATH=VALUE",
            "Goes over the file and the environment: --set kafka.topic=clicks. Lists are JSON. May be repeated."
        ),
        Option.repeated(
            "--accept-history",
            "ID",
            "Lets this cohort go on although history it looks at is gone from Kafka."
        ),
    ]

    static let program = Program(
        "cohortd",
        summary: "Keeps cohorts exact over the events in Kafka and sends what changes",
        version: Version.text,
        commands: [
            Command(
                "run",
                summary: "Runs the daemon until SIGTERM or Ctrl-C",
                details: """
                    SIGHUP reads the configuration again and goes on with all of it, or, where something in it is \
                    wrong, with the one before; the log says what changed, or why not. Variables go over the file: \
                    COHORTD_KAFKA_TOPIC for kafka.topic. Under systemd it says when it is ready, how it is and that \
                    it is alive.

                    Exit status: 0 stopped in good order, 64 usage, 65 damaged data, 70 a bug, 73 data_dir \
                    unusable, 74 I/O error, 75 data_dir is locked, 78 configuration.
                    """,
                options: configuration,
                examples: ["cohortd run --config config/cohortd.yaml --set data_dir=/tmp/cohortd"]
            ),
            Command(
                "check",
                summary: "Checks configuration, cohorts, destinations and syncs, and exits",
                details: "Exit status: 0 all is well, 64 usage, 78 there is a problem.",
                options: configuration,
                examples: ["cohortd check --config config/cohortd.yaml"]
            ),
            Command(
                "demo",
                summary: "Shows it all in one process: a broker, traffic, cohorts, a receiver",
                details: """
                    Delta records go to stdout as JSON Lines, one for each user the receiver is told about; \
                    everything else goes to stderr. It is not a deployment: the broker keeps 5 MiB a \
                    partition in memory.
                    """,
                options: [
                    .one("--rate", "N", "Events a second, 1 … 100000. Default: 2000."),
                    .one("--http-port", "PORT", "Where the API listens. Default: any free port."),
                    .one("--seconds", "N", "Ends by itself after so long."),
                ],
                examples: ["cohortd demo", "cohortd demo --seconds 20 --rate 5000"]
            ),
            Command(
                "version",
                summary: "Prints the version",
                examples: ["cohortd version"]
            ),
        ]
    )
}
