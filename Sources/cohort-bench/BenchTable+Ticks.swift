import Arguments

extension BenchTable {
    static let tick = Command(
        "tick",
        summary: "Times ticks over many users, slice by slice",
        details: """
            Makes users who send what makes ticks expensive, gives their events to the engine on one thread, and \
            times only the ticks, each cut into slices between which events could be applied. The pause is the \
            longest stretch in which none could: a slice, or the beginning of the tick. A hundred cohorts of all \
            modes are built in. Build with 'swift build -c release'.

            touched: as many users as --touched says send an event before each tick, by which two memberships \
            of each begin and two end. midnight: half of the users leave a cohort at one tick, by the clock \
            alone. everyone: all conditions of all users are evaluated, as after a start with new definitions.

            Times are CPU time of the thread, and of the wall beside it.

            Exit status: 0, 1 the enters and exits are not those that the events must cause, 64 usage, 74 \
            stdout cannot be written.
            """,
        options: [
            .one("--users", "N", "Default: 1000000."),
            .one("--history", "N", "Events of each user before the first tick. Default: 5."),
            .one("--touched", "N", "Users who send an event before each tick. Default: 50000."),
            .one("--ticks", "N", "Ticks of those, a minute apart, at most 600. Default: 100."),
            .one("--repeat", "N", "Midnights, and evaluations of everyone. Default: 3."),
            .one("--slice", "N", "Users that a slice looks at. Default: 256."),
            .one("--seed", "N", "Other numbers give other events. Default: 42."),
            output,
        ],
        examples: ["cohort-bench tick --users 1000000 --touched 50000 --slice 256"]
    )
}
