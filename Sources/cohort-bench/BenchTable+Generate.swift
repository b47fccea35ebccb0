import Arguments

extension BenchTable {
    /// Made-up traffic.
    static let generate = Command(
        "generate",
        summary: "Makes up events and publishes them, to try a daemon under load",
        details: """
            A shop's events in the producers' format, as JSON Lines on stdout, or with --bootstrap as records of \
            a topic: the user is the key, the arrival the timestamp. Event n arrives n/rate seconds after \
            --start, and that is its time unless it is late. A late event's time is up to --late-max before its \
            arrival; a duplicate is one of the last 1000 events once more, byte for byte. 'user-1' is the most \
            active. The same seed, start and other options make the same bytes.

            Where the broker is slower than the rate, everything waits and nothing is left out. Ctrl-C ends it: \
            what was made is delivered within ten seconds. How far it is goes to stderr every five seconds, \
            and at the end one line: sent, late, duplicates, failed.

            Exit status: 0, 64 usage, 74 some events were not delivered or stdout cannot be written.
            """,
        options: [
            .one("--users", "N", "How many users there are. Default: 100000."),
            .one("--rate", "N", "Events a second, by their times and by the clock. Default: 1000."),
            .flag(
                "--fast",
                "As fast as they are taken; their times still follow --rate, from --start."
            ),
            .one("--count", "N", "Ends after so many. Default: goes on until Ctrl-C."),
            .one("--duration", "D", "Ends after what --rate makes in this time, such as 10m."),
            .one(
                "--start",
                "T",
                """
                When the first event comes. Default: now; with --fast and an end, so that the last one comes \
                now.
                """
            ),
            .one(
                "--skew",
                "S",
                "User k is active in proportion to 1/k^S: 0 is all alike, 10 the most. Default: 1."
            ),
            .one("--late", "SHARE", "Of events that are late, 0 … 1. Default: 0."),
            .one("--late-max", "D", "How late at most. Default: 1h."),
            .one("--duplicates", "SHARE", "Of events that came before, 0 … 1. Default: 0."),
            .several(
                "--types",
                "TYPE=WEIGHT",
                """
                What is done, and how often in proportion. All but page_view have a price and a category. \
                Default: page_view=700 product_view=260 add_to_cart=33 purchase=7.
                """
            ),
            .one("--seed", "N", "Other events for another number. Default: 1."),
            .one("--bootstrap", "ADDRESS", "A broker to publish to. Default: stdout."),
            .one("--topic", "NAME", "Default: events."),
            .one("--partitions", "N", "Makes the topic with so many, if it is not there."),
            .one("--compression", "CODEC", "none, gzip, snappy, lz4 or zstd. Default: lz4."),
            .repeated(
                "--property",
                "NAME=VALUE",
                "Given to librdkafka's producer, such as partitioner=murmur2_random."
            ),
            .one(
                "--output",
                "FORMAT",
                "With --bootstrap: json prints the last line as one object on stdout."
            ),
        ],
        examples: [
            "cohort-bench generate --bootstrap 127.0.0.1:9092 --users 1000000 --rate 50000 --duration 10m",
            "cohort-bench generate --fast --count 100000 --start 2026-01-05T00:00:00Z --late 0.02 "
                + "--duplicates 0.01 > events.jsonl",
        ]
    )
}
