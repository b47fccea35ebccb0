import Telemetry
import Testing

@Suite("Metrics")
struct MetricTests {
    private let registry = MetricRegistry()

    private var text: String { String(decoding: registry.rendered(), as: UTF8.self) }

    private func lines(of name: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter {
            $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") || $0.hasPrefix(name + "_")
        }
    }

    @Test("names are unique, begin with cohortd_, and only counters end in _total")
    func table() {
        let names = Metric.allCases.map(\.family.name)
        #expect(Set(names).count == names.count)
        for metric in Metric.allCases {
            let family = metric.family
            #expect(family.name.hasPrefix("cohortd_"))
            #expect(family.name.hasSuffix("_total") == (family.kind == .counter))
            #expect(family.help.hasSuffix("."))
        }
    }

    @Test("reject reasons start at 0, so that the first reject is seen as an increase")
    func zeros() {
        #expect(lines(of: "cohortd_rejects_total").count == 15)
        #expect(
            lines(of: "cohortd_rejects_total").contains(
                "cohortd_rejects_total{reason=\"future\"} 0"
            )
        )
    }

    @Test("families without values are not shown")
    func empty() {
        #expect(!text.contains("cohortd_users"))
        #expect(!text.contains("cohortd_tick_duration_seconds"))
    }

    @Test("every family has one HELP and one TYPE before its values, partitions by number")
    func layout() {
        registry.update { values in
            values.set(.lagRecords, ["10"], to: 5)
            values.set(.lagRecords, ["9"], to: 1.5)
        }
        let expected = """
            # HELP cohortd_lag_records Records in Kafka that are not applied yet.
            # TYPE cohortd_lag_records gauge
            cohortd_lag_records{partition="9"} 1.5
            cohortd_lag_records{partition="10"} 5

            """
        #expect(text.contains(expected))
    }

    @Test("label values are escaped")
    func escaping() {
        registry.update { $0.set(.cohortMembers, ["a\"b\\c\nd"], to: 1) }
        #expect(
            lines(of: "cohortd_cohort_members") == [
                #"cohortd_cohort_members{cohort="a\"b\\c\nd"} 1"#
            ]
        )
    }

    @Test("several labels stand in the order of the table; counters add up")
    func counter() {
        registry.update { values in
            values.add(.eventsTotal, ["0", "applied"], by: 2)
            values.add(.eventsTotal, ["0", "applied"])
        }
        #expect(
            lines(of: "cohortd_events_total")
                == [#"cohortd_events_total{partition="0",outcome="applied"} 3"#]
        )
        #expect(registry.snapshot.value(.eventsTotal, ["0", "applied"]) == 3)
    }

    @Test(
        "a histogram cumulates; a value on a bound is inside it, one beyond the last only in +Inf"
    )
    func histogram() {
        registry.update { values in
            for seconds in [0.001, 0.0015, 10, 11] {
                values.observe(.tickDurationSeconds, value: seconds)
            }
        }
        let lines = lines(of: "cohortd_tick_duration_seconds")
        #expect(lines.count == 16)
        #expect(lines[0] == #"cohortd_tick_duration_seconds_bucket{le="0.001"} 1"#)
        #expect(lines[1] == #"cohortd_tick_duration_seconds_bucket{le="0.002"} 2"#)
        #expect(lines[11] == #"cohortd_tick_duration_seconds_bucket{le="5"} 2"#)
        #expect(lines[12] == #"cohortd_tick_duration_seconds_bucket{le="10"} 3"#)
        #expect(lines[13] == #"cohortd_tick_duration_seconds_bucket{le="+Inf"} 4"#)
        #expect(lines[14].hasPrefix("cohortd_tick_duration_seconds_sum 21.002"))
        #expect(lines[15] == "cohortd_tick_duration_seconds_count 4")
    }

    @Test("a state is 1 and the others of the series are 0")
    func states() {
        registry.update { values in
            values.setState(.partitionState, ["0"], to: "restoring")
            values.setState(.partitionState, ["0"], to: "live")
        }
        let lines = lines(of: "cohortd_partition_state")
        #expect(lines.count == 7)
        #expect(
            lines.filter { $0.hasSuffix(" 1") } == [
                #"cohortd_partition_state{partition="0",state="live"} 1"#
            ]
        )
    }

    @Test("the series of a partition given away go, those of others stay")
    func removal() {
        registry.update { values in
            values.setState(.partitionState, ["1"], to: "live")
            values.setState(.partitionState, ["10"], to: "live")
            values.remove(.partitionState, prefix: ["1"])
        }
        #expect(lines(of: "cohortd_partition_state").allSatisfy { $0.contains("partition=\"10\"") })
        #expect(lines(of: "cohortd_partition_state").count == 7)
    }

    @Test("numbers beyond integers are written as Prometheus reads them")
    func numbers() {
        registry.update { values in
            values.set(.cohortMembers, ["a"], to: .nan)
            values.set(.cohortMembers, ["b"], to: -.infinity)
            values.set(.cohortMembers, ["c"], to: 1_700_000_000.125)
        }
        #expect(
            lines(of: "cohortd_cohort_members") == [
                #"cohortd_cohort_members{cohort="a"} NaN"#,
                #"cohortd_cohort_members{cohort="b"} -Inf"#,
                #"cohortd_cohort_members{cohort="c"} 1700000000.125"#,
            ]
        )
    }

    @Test("a label value outside its closed set is stopped")
    func closedSet() async {
        await #expect(processExitsWith: .failure) {
            MetricRegistry().update { $0.add(.rejectsTotal, ["typo"]) }
        }
    }

    @Test("a counter cannot go back")
    func counterGoesUp() async {
        await #expect(processExitsWith: .failure) {
            MetricRegistry().update { $0.add(.rejectsTotal, ["future"], by: -1) }
        }
    }
}
