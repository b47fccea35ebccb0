import Cohorts
import Testing

/// Every rule once broken: the place and the code, and nothing besides.
@Suite("What is refused")
struct RefusalTests {
    @Test(
        "definitions",
        arguments: [
            Refusal(file: "§id: §C\n", .missingKey, .badID),
            Refusal(file: "§- id: c\n", .wrongType),
            Refusal(file: "§{}\n", .empty),
            Refusal(file: "§null\n", .wrongType),
            Refusal(file: "§users: {active: {}}\n", .missingKey),
            Refusal(file: "§§name: x\n", .missingKey, .missingKey),
            Refusal(file: "id: §C\nusers: {active: {}}\n", .badID),
            Refusal(file: "id: §_c\nusers: {active: {}}\n", .badID),
            Refusal(file: "id: §ünü\nusers: {active: {}}\n", .badID),
            Refusal(
                file: "id: §\(String(repeating: "a", count: 65))\nusers: {active: {}}\n",
                .badID
            ),
            Refusal(file: "id: §7\nusers: {active: {}}\n", .notText),
            Refusal(file: "id: §true\nusers: {active: {}}\n", .notText),
            Refusal(file: "id: §\"\"\nusers: {active: {}}\n", .empty),
            Refusal(file: "id:§\nusers: {active: {}}\n", .wrongType),
            Refusal(file: "id: §[c]\nusers: {active: {}}\n", .wrongType),
            Refusal(file: "id: c\nname: §7\nusers: {active: {}}\n", .notText),
            Refusal(file: "id: c\ndescription: §{}\nusers: {active: {}}\n", .wrongType),
            Refusal(
                file: "id: c\ntimezone: §Europe/Berln\nusers: {active: {}}\n",
                .unknownTimezone
            ),
            Refusal(file: "id: c\ntimezone: §../UTC\nusers: {active: {}}\n", .unknownTimezone),
            Refusal(file: "id: c\ntimezone: §1\nusers: {active: {}}\n", .notText),
            Refusal(file: "id: c\n§user: {active: {}}\nusers: {active: {}}\n", .unknownKey),
            Refusal(file: "id: c\nusers: {active: {}}\n§id: d\n", .duplicateKey),
            Refusal(
                file: "id: c\nusers: {active: {}}\n---\nid: §c\nusers: {new: {}}\n",
                .duplicateID
            ),
        ]
    )
    func definitions(_ refusal: Refusal) {
        #expect(refusal.found == refusal.expected)
    }

    @Test(
        "clauses",
        arguments: [
            Refusal("§[{active: {}}]", .wrongType),
            Refusal("§{}", .empty),
            Refusal("{§acitve: {}}", .unknownKey),
            Refusal("{active: {}, §new: {}}", .conflictingKey),
            Refusal("{active: {}, §new: {}, §uploaded: true}", .conflictingKey, .conflictingKey),
            Refusal("{active: §null}", .wrongType),
            Refusal("{new: §7d}", .wrongType),
            Refusal("{inactive: {§event: x}}", .unknownKey),
            Refusal("{all: §[]}", .empty),
            Refusal("{any: §{active: {}}}", .wrongType),
            Refusal("{not: §[{active: {}}]}", .wrongType),
            Refusal("{not: §{}}", .empty),
            Refusal("{uploaded: §false}", .wrongType),
            Refusal("{uploaded: §1}", .wrongType),
            Refusal("{member_of: §7}", .notText),
            Refusal("{member_of: §X}", .badID),
            Refusal("{member_of: §nobody}", .unknownID),
            Refusal("{member_of: §c}", .cycle),
            Refusal(
                "{predicted: {prediction: p, percentile: 5, §probability: 1}}",
                .conflictingKey
            ),
            Refusal("{predicted: §{prediction: p}}", .missingKey),
            Refusal("{predicted: §{percentile: 5}}", .missingKey),
            Refusal("{predicted: {prediction: §7, percentile: 5}}", .notText),
            Refusal("{predicted: {prediction: §P, percentile: 5}}", .badID),
            Refusal("{predicted: {prediction: p, percentile: §\"5\"}}", .wrongType),
            Refusal("{predicted: {prediction: p, §score: 5, percentile: 1}}", .unknownKey),
        ]
    )
    func clauses(_ refusal: Refusal) {
        #expect(refusal.found == refusal.expected)
    }

    @Test(
        "events, sequence and retained",
        arguments: [
            Refusal("{performed: §{last: 7d}}", .missingKey),
            Refusal("{performed: {event: §7}}", .notText),
            Refusal("{performed: {event: §true}}", .notText),
            Refusal("{performed: {event: §\"\"}}", .empty),
            Refusal("{performed: {event: §[]}}", .empty),
            Refusal("{performed: {event: [x, §1.5]}}", .notText),
            Refusal("{performed: {event: §[x, \"*\"]}}", .reservedName),
            Refusal("{performed: {event: §[_active]}}", .reservedName),
            Refusal("{performed: {event: §{is: x}}}", .wrongType),
            Refusal("{performed: {event: x, where: §{}}}", .empty),
            Refusal("{performed: {event: x, where: §[a]}}", .wrongType),
            Refusal("{performed: {event: x, where_user: §x}}", .wrongType),
            Refusal("{performed: {event: x, same: §5}}", .notText),
            Refusal("{performed: {event: x, same: [p, §true]}}", .notText),
            Refusal("{performed: {event: x, same: §[]}}", .empty),
            Refusal("{sequence: {steps: §[{event: x}]}}", .outOfRange),
            Refusal(
                "{sequence: {steps: §[\(Array(repeating: "{event: x}", count: 11).joined(separator: ", "))]}}",
                .outOfRange
            ),
            Refusal("{sequence: {steps: [{event: x}, {event: y, §count: 2}]}}", .unknownKey),
            Refusal("{sequence: {steps: [{event: x}, §{where: {a: 1}}]}}", .missingKey),
            Refusal("{sequence: §{within: 1h}}", .missingKey),
            Refusal("{sequence: {steps: [{event: x}, {event: y}], within: §1y}}", .badDuration),
            Refusal("{sequence: {steps: [{event: x}, {event: y}], same: §1}}", .notText),
            Refusal("{sequence: {steps: [{event: x}, {event: y}], §count: 1}}", .unknownKey),
            Refusal(
                "{retained: {start: {event: x}, return: {event: y}, days: [§-1, 2]}}",
                .outOfRange
            ),
            Refusal(
                "{retained: {start: {event: x}, return: {event: y}, days: [0, §36501]}}",
                .outOfRange
            ),
            Refusal(
                "{retained: {start: {event: x}, return: {event: y}, days: §[2, 2]}}",
                .reversedRange
            ),
            Refusal(
                "{retained: {start: {event: x}, return: {event: y}, days: [0, §1.5]}}",
                .outOfRange
            ),
            Refusal("{retained: {start: {event: x}, return: {event: y}, days: §[1]}}", .outOfRange),
            Refusal("{retained: {start: {event: x}, return: {event: y}, days: §7}}", .wrongType),
            Refusal(
                "{retained: {start: {event: x}, return: {event: y}, days: [§1d, 2]}}",
                .wrongType
            ),
            Refusal("{retained: §{start: {event: x}, return: {event: y}}}", .missingKey),
            Refusal(
                "{retained: {start: {new: §false}, return: {event: y}, days: [0, 1]}}",
                .wrongType
            ),
            Refusal(
                "{retained: {start: {new: true, §event: x}, return: {event: y}, days: [0, 1]}}",
                .conflictingKey
            ),
            Refusal(
                "{retained: {start: {event: x}, return: §{§new: true}, days: [0, 1]}}",
                .missingKey,
                .unknownKey
            ),
        ]
    )
    func events(_ refusal: Refusal) {
        #expect(refusal.found == refusal.expected)
    }

    @Test(
        "modes",
        arguments: [
            Refusal(
                "{performed: {event: x, count: 1, §sum: {property: p, is: 1}}}",
                .conflictingKey
            ),
            Refusal("{performed: {event: x, nth: 1, §count: 1}}", .conflictingKey),
            Refusal("{performed: {event: x, count: §-1}}", .outOfRange),
            Refusal("{performed: {event: x, count: §1000000001}}", .outOfRange),
            Refusal("{performed: {event: x, count: {gte: §1e10}}}", .outOfRange),
            Refusal("{performed: {event: x, count: §\"3\"}}", .wrongType),
            Refusal("{performed: {event: x, count: §many}}", .wrongType),
            Refusal("{performed: {event: x, count: §[1, 2]}}", .listNotAllowed),
            Refusal("{performed: {event: x, count: §null}}", .nullOperand),
            Refusal("{performed: {event: x, count: §.nan}}", .notFinite),
            Refusal("{performed: {event: x, count: §{}}}", .empty),
            Refusal("{performed: {event: x, count: {§contains: 1}}}", .unknownKey),
            Refusal("{performed: {event: x, count: {between: [3, §1]}}}", .reversedRange),
            Refusal("{performed: {event: x, count: {between: §[3]}}}", .outOfRange),
            Refusal("{performed: {event: x, count: {between: §3}}}", .wrongType),
            Refusal("{performed: {event: x, nth: §0}}", .outOfRange),
            Refusal("{performed: {event: x, nth: §6}}", .outOfRange),
            Refusal("{performed: {event: x, nth: §2.5}}", .outOfRange),
            Refusal("{performed: {event: x, nth: §{gte: 1}}}", .wrongType),
            Refusal("{performed: {event: x, sum: §{is: 3}}}", .missingKey),
            Refusal("{performed: {event: x, sum: §{property: p}}}", .missingKey),
            Refusal("{performed: {event: x, avg: {property: §5, is: 3}}}", .notText),
            Refusal("{performed: {event: x, min: {property: p, §gte: 1, is: 3}}}", .unknownKey),
            Refusal("{performed: {event: x, max: {property: p, is: §x}}}", .wrongType),
            Refusal("{performed: {event: x, max: {property: p, is: {gt: §-.inf}}}}", .notFinite),
            Refusal("{performed: {event: x, distinct: {property: p, is: §-1}}}", .outOfRange),
            Refusal("{performed: {event: x, relative: {op: §more, event: y}}}", .unknownWord),
            Refusal("{performed: {event: x, relative: {op: §between, event: y}}}", .unknownWord),
            Refusal("{performed: {event: x, relative: §{event: y}}}", .missingKey),
            Refusal("{performed: {event: x, relative: §{op: gt}}}", .missingKey),
            Refusal(
                "{performed: {event: x, relative: {op: gt, event: y, §last: 1d}}}",
                .unknownKey
            ),
            Refusal(
                "{performed: {event: x, §same: p, relative: {op: gt, event: y}}}",
                .conflictingKey
            ),
            Refusal("{performed: {event: x, same: p, count: §{lte: 5}}}", .trueOfZero),
            Refusal("{performed: {event: x, same: p, count: §0}}", .trueOfZero),
            Refusal("{performed: {event: x, same: p, count: §{is_not: 2}}}", .trueOfZero),
            Refusal("{performed: {event: x, same: p, count: §{between: [0, 2]}}}", .trueOfZero),
            Refusal(
                "{performed: {event: x, same: p, sum: {property: v, is: §{gte: -1}}}}",
                .trueOfZero
            ),
            Refusal(
                "{performed: {event: x, same: p, sum: {property: v, is: §{gte: 0.0000005}}}}",
                .trueOfZero
            ),
            Refusal(
                "{performed: {event: x, same: p, distinct: {property: v, is: §{lt: 1}}}}",
                .trueOfZero
            ),
            Refusal(
                "{performed: {event: x, same: p, on_distinct: {interval: day, is: §{lt: 1}}}}",
                .trueOfZero
            ),
            Refusal(
                "{performed: {event: x, on_distinct: {interval: day, count: §{lte: 3}, is: 2}}}",
                .trueOfZero
            ),
            Refusal("{performed: {event: x, on_distinct: {interval: §year, is: 2}}}", .badDuration),
            Refusal("{performed: {event: x, on_distinct: {interval: §1, is: 2}}}", .wrongType),
            Refusal("{performed: {event: x, on_distinct: §{is: 2}}}", .missingKey),
            Refusal("{performed: {event: x, on_distinct: §{interval: day}}}", .missingKey),
            Refusal("{performed: {event: x, on_distinct: {interval: day, is: §-2}}}", .outOfRange),
            Refusal(
                "{performed: {event: x, on_distinct: {§interval: 1h, is: 2}, last: 2d, align: day}}",
                .conflictingKey
            ),
            Refusal(
                "{performed: {event: x, on_distinct: {§interval: 1h, is: 2}, since: 2026-01-01}}",
                .conflictingKey
            ),
            Refusal(
                "{performed: {event: x, on_distinct: {§interval: 1h, is: 2}, within_first: 1d}}",
                .conflictingKey
            ),
        ]
    )
    func modes(_ refusal: Refusal) {
        #expect(refusal.found == refusal.expected)
    }

    @Test(
        "windows",
        arguments: [
            Refusal("{active: {last: §7}}", .wrongType),
            Refusal("{active: {last: §7x}}", .badDuration),
            Refusal("{active: {last: §500ms}}", .badDuration),
            Refusal("{active: {last: §1d12h}}", .badDuration),
            Refusal("{active: {last: §1.5d}}", .badDuration),
            Refusal("{active: {last: §-1d}}", .badDuration),
            Refusal("{active: {last: §d}}", .badDuration),
            Refusal("{active: {last: §٣d}}", .badDuration),
            Refusal("{active: {last: §0s}}", .outOfRange),
            Refusal("{active: {last: §36501d}}", .outOfRange),
            Refusal("{active: {last: §99999999999999999999d}}", .outOfRange),
            Refusal("{active: {last: 1d, offset: §0s}}", .outOfRange),
            Refusal("{active: {§offset: 1d}}", .conflictingKey),
            Refusal("{active: {since: 2026-01-01, §offset: 1d}}", .conflictingKey),
            Refusal("{active: {§align: day}}", .conflictingKey),
            Refusal("{active: {last: 7d, align: §month}}", .unknownWord),
            Refusal("{active: {last: 1w, §align: day}}", .conflictingKey),
            Refusal("{active: {last: 24h, §align: day}}", .conflictingKey),
            Refusal("{active: {last: 7d, §align: week}}", .conflictingKey),
            Refusal("{active: {last: 7d, §exclude_current: true}}", .conflictingKey),
            Refusal("{active: {last: 7d, align: day, exclude_current: §yes}}", .wrongType),
            Refusal("{active: {last: 7d, §since: 2026-01-01}}", .conflictingKey),
            Refusal("{active: {last: 7d, §within_first: 7d}}", .conflictingKey),
            Refusal("{active: {since: §2026-02-29}}", .badDate),
            Refusal("{active: {since: §2026-1-5}}", .badDate),
            Refusal("{active: {since: §\"2026-01-05T10:00:00\"}}", .badDate),
            Refusal("{active: {since: §\"2026-01-05T10:00:60Z\"}}", .badDate),
            Refusal("{active: {since: §0000-01-01}}", .badDate),
            Refusal("{active: {since: §20260105}}", .wrongType),
            Refusal("{active: {between: §2026-01-05}}", .wrongType),
            Refusal("{active: {between: §[2026-01-05]}}", .outOfRange),
            Refusal("{active: {between: [2026-01-05, §2026-01-04]}}", .reversedRange),
            Refusal(
                "{active: {between: [\"2026-01-05T00:00:00.001Z\", §\"2026-01-05T00:00:00Z\"]}}",
                .reversedRange
            ),
            Refusal("{active: {between: [2026-01-05, §\"2026-01-06T00:00:00Z\"]}}", .mixedKinds),
            Refusal("{active: {within_first: §x}}", .badDuration),
            Refusal(
                "{active: {last: §x, §between: §y}}",
                .badDuration,
                .conflictingKey,
                .wrongType
            ),
        ]
    )
    func windows(_ refusal: Refusal) {
        #expect(refusal.found == refusal.expected)
    }

    @Test(
        "predicates on properties",
        arguments: [
            Refusal("{property: {p: §null}}", .nullOperand),
            Refusal("{property: {p: §}}", .nullOperand),
            Refusal("{property: {p: [a, §~]}}", .nullOperand),
            Refusal("{property: {p: §.inf}}", .notFinite),
            Refusal("{property: {p: §1e999}}", .notFinite),
            Refusal("{property: {p: {is_not: §.NaN}}}", .notFinite),
            Refusal("{property: {p: §[]}}", .empty),
            Refusal("{property: {p: §{}}}", .empty),
            Refusal("{property: §{}}", .empty),
            Refusal("{property: {p: {is: §[]}}}", .empty),
            Refusal("{property: {p: [§[a]]}}", .wrongType),
            Refusal("{property: {p: {is: §{gt: 1}}}}", .wrongType),
            Refusal("{property: {p: {§equals: 1}}}", .unknownKey),
            Refusal("{property: {p: {gt: §[1]}}}", .listNotAllowed),
            Refusal("{property: {p: {version_gt: §[\"1\"]}}}", .listNotAllowed),
            Refusal("{property: {p: {set: §yes}}}", .wrongType),
            Refusal("{property: {p: {set: §[true]}}}", .wrongType),
            Refusal("{property: {p: {gt: §abc}}}", .neverHolds),
            Refusal("{property: {p: {gt: §true}}}", .neverHolds),
            Refusal("{property: {p: {lte: §\"\"}}}", .neverHolds),
            Refusal("{property: {p: {lt: §\"05\"}}}", .neverHolds),
            Refusal("{property: {p: {lt: §\"1e999\"}}}", .neverHolds),
            Refusal("{property: {p: {gte: §2026-02-30}}}", .neverHolds),
            Refusal("{property: {p: {gte: §\"2026-01-05 10:00:00\"}}}", .neverHolds),
            Refusal("{property: {p: {between: §5}}}", .wrongType),
            Refusal("{property: {p: {between: §[1, 2, 3]}}}", .outOfRange),
            Refusal("{property: {p: {between: [2, §1]}}}", .reversedRange),
            Refusal("{property: {p: {between: [\"10\", §9]}}}", .reversedRange),
            Refusal(
                "{property: {p: {between: [9007199254740993, §9007199254740992.0]}}}",
                .reversedRange
            ),
            Refusal("{property: {p: {between: [2026-01-02, §2026-01-01]}}}", .reversedRange),
            Refusal("{property: {p: {between: [1, §2026-01-01]}}}", .mixedKinds),
            Refusal("{property: {p: {between: [§a, §b]}}}", .neverHolds, .neverHolds),
            Refusal("{property: {p: {version_gt: §2.10}}}", .notText),
            Refusal("{property: {p: {version_gte: §2}}}", .notText),
            Refusal("{property: {p: {version_lt: §\"v2\"}}}", .badVersion),
            Refusal("{property: {p: {version_lt: §\"1..2\"}}}", .badVersion),
            Refusal("{property: {p: {version_lte: §\"\"}}}", .badVersion),
            Refusal("{property: {p: {version_lte: §true}}}", .wrongType),
            Refusal("{property: {p: {glob: §\"[ab\"}}}", .badGlob),
            Refusal("{property: {p: {glob: §\"a[]\"}}}", .badGlob),
            Refusal("{property: {p: {glob: §\"[!]\"}}}", .badGlob),
            Refusal("{property: {p: {glob: §\"[z-a]\"}}}", .badGlob),
            Refusal("{property: {p: {glob: [\"a*\", §\"[!9-0]\"]}}}", .badGlob),
            Refusal("{had_property: §{last: 7d}}", .missingKey),
            Refusal("{had_property: {p: 1, mode: §newest}}", .unknownWord),
            Refusal("{had_property: {p: 1, §mode: {is: x}}}", .reservedName),
            Refusal("{had_property: {§last: {gt: 5}}}", .reservedName),
            Refusal("{had_property: {p: §null, last: §x}}", .nullOperand, .badDuration),
        ]
    )
    func predicates(_ refusal: Refusal) {
        #expect(refusal.found == refusal.expected)
    }

    @Test(
        "what YAML knows and the language does not",
        arguments: [
            Refusal("{all: [§&a {active: {}}]}", .anchor),
            Refusal("{property: {p: §!!str 5}}", .tag),
            Refusal("{performed: {event: x, §event: y}}", .duplicateKey),
            Refusal("{property: {p\u{301}: 1, q: 2, §p\u{301}: 3}}", .duplicateKey),
            Refusal("{all: [{active: {}}, §*a]}", .alias),
            Refusal(file: "id: c\nusers: {§<<: {active: {}}}\n", .mergeKey),
            Refusal(file: "id: c\nusers: {§[a]: 1}\n", .badKey),
            Refusal(file: "\"§\u{7f}\": 1\n", .yamlSyntax),
        ]
    )
    func yaml(_ refusal: Refusal) {
        #expect(refusal.found == refusal.expected)
    }
}
