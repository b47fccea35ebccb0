import Events
import Testing

/// One case of the language's predicates: who of these users the cohorts hold.
struct LanguageCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// Id, property and tests of each cohort.
    let cohorts: [(id: String, property: String, tests: [PredicateTest])]
    /// Each user with its `user_properties` as JSON.
    let users: [(id: String, properties: String)]
    /// The members of each cohort, with spaces between them.
    let expected: [String: String]

    var testDescription: String { name }

    init(
        _ name: String,
        _ cohorts: [(id: String, property: String, tests: [PredicateTest])],
        _ users: [(id: String, properties: String)],
        _ expected: [String: String]
    ) {
        self.name = name
        self.cohorts = cohorts
        self.users = users
        self.expected = expected
    }
}

private func test(_ op: PredicateOperator, _ operands: Operand...) -> PredicateTest {
    PredicateTest(op: op, operands: operands)
}

/// The cases `predicates.*` of the language, as they stand there.
extension LanguageCase {
    static let all = values + texts

    static let values: [LanguageCase] = [
        LanguageCase(
            "predicates_scalar",
            [
                ("a", "p", [test(.equal, .integer(5))]),
                ("b", "p", [test(.greater, .text("4"))]),
                ("c", "p", [test(.equal, .text("5.0"))]),
                ("d", "p", [test(.equal, .boolean(true))]),
                ("n", "p", [test(.notEqual, .integer(5))]),
            ],
            [
                ("a", #"{"p": 5.0}"#),
                ("b", #"{"p": "5"}"#),
                ("c", #"{"p": "5.0"}"#),
                ("d", #"{"p": "true"}"#),
                ("f", #"{"p": true}"#),
                ("g", #"{"q": 1}"#),
            ],
            ["a": "a b", "b": "a b c", "c": "c", "d": "d f", "n": "c d f g"]
        ),
        LanguageCase(
            "is_is_case_sensitive",
            [
                ("i", "p", [test(.equal, .text("X"))]),
                ("n", "p", [test(.notEqual, .text("X"))]),
            ],
            [
                ("a", #"{"p": "x"}"#),
                ("b", #"{"p": "X"}"#),
            ],
            ["i": "b", "n": "a"]
        ),
        LanguageCase(
            "list_operand_of_negatives",
            [
                ("n", "p", [test(.notEqual, .integer(4), .integer(5))]),
                ("c", "p", [test(.notContains, .text("x"), .text("y"))]),
            ],
            [
                ("a", #"{"p": 5}"#),
                ("b", #"{"p": 6}"#),
                ("c", #"{}"#),
                ("d", #"{"p": ["aYb", "z"]}"#),
                ("f", #"{"p": ["z", {"k": "x"}]}"#),
            ],
            ["n": "b c d f", "c": "a b c f"]
        ),
        LanguageCase(
            "predicates_missing_null_empty",
            [
                ("s", "p", [test(.set, .boolean(true))]),
                ("u", "p", [test(.set, .boolean(false))]),
                ("e", "p", [test(.equal, .text(""))]),
                ("x", "p", [test(.notEqual, .text("z")), test(.greater, .integer(0))]),
            ],
            [
                ("a", #"{"p": ""}"#),
                ("b", #"{"p": null}"#),
                ("c", #"{}"#),
                ("d", #"{"p": 1}"#),
            ],
            ["s": "a d", "u": "b c", "e": "a", "x": "d"]
        ),
        LanguageCase(
            "predicates_array",
            [
                ("a", "p", [test(.greater, .integer(3)), test(.less, .integer(5))]),
                ("n", "p", [test(.notEqual, .integer(2))]),
                ("m", "p", [test(.greater, .integer(3)), test(.notEqual, .integer(2))]),
                ("s", "p", [test(.set, .boolean(true))]),
            ],
            [
                ("a", #"{"p": [2, 4]}"#),
                ("b", #"{"p": [1, 6]}"#),
                ("c", #"{"p": []}"#),
                ("d", #"{"p": 4}"#),
            ],
            ["a": "a d", "n": "b c d", "m": "b d", "s": "a b c d"]
        ),
        LanguageCase(
            "null_in_array_negatives",
            [
                ("n", "p", [test(.notContains, .text("a"))]),
                ("g", "p", [test(.greater, .integer(1)), test(.notEqual, .integer(5))]),
            ],
            [
                ("a", #"{"p": [null, "b"]}"#),
                ("b", #"{"p": [2, 5]}"#),
                ("c", #"{"p": [2, 3]}"#),
                ("d", #"{"p": ["xA"]}"#),
            ],
            ["n": "a b c", "g": "c"]
        ),
        LanguageCase(
            "predicates_object",
            [
                ("s", "p", [test(.set, .boolean(true))]),
                ("n", "p", [test(.notEqual, .integer(1))]),
                ("x", "p", [test(.contains, .text("a"))]),
                ("d", "p.q", [test(.equal, .integer(1))]),
            ],
            [
                ("a", #"{"p": {"q": 1}}"#),
                ("b", #"{"p": [{"q": 1}]}"#),
            ],
            ["s": "a b", "n": "a b", "x": "", "d": "a"]
        ),
        LanguageCase(
            "predicates_sets",
            [
                ("i", "p", [test(.setIs, .text("a"), .text("b"))]),
                ("c", "p", [test(.setContains, .text("a"), .text("b"))]),
                ("o", "p", [test(.setIs, .text("a"))]),
            ],
            [
                ("a", #"{"p": ["b", "a", "a"]}"#),
                ("b", #"{"p": ["a", "b", "c"]}"#),
                ("c", #"{"p": "a"}"#),
                ("d", #"{"p": ["a"]}"#),
            ],
            ["i": "a", "c": "a b", "o": "c d"]
        ),
        LanguageCase(
            "set_operators_see_scalars",
            [
                ("i", "p", [test(.setIs, .text("a"))]),
                ("c", "p", [test(.setContains, .text("a"), .integer(5))]),
                ("s", "p", [test(.set, .boolean(true))]),
            ],
            [
                ("a", #"{"p": [null, "a"]}"#),
                ("b", #"{"p": [["x"], "a"]}"#),
                ("c", #"{"p": [null]}"#),
                ("d", #"{"p": ["a", "5", {"k": 1}]}"#),
                ("f", #"{"p": []}"#),
            ],
            ["i": "a b", "c": "d", "s": "a b c d f"]
        ),
        LanguageCase(
            "predicates_text",
            [
                ("c", "p", [test(.contains, .text("ÄB"))]),
                ("s", "p", [test(.startsWith, .text("zz"), .text("x"))]),
                ("n", "p", [test(.notContains, .text("q"), .text("b"))]),
                ("g", "p", [test(.glob, .text("/a/*"))]),
                ("h", "p", [test(.glob, .text("/a/**"))]),
                ("r", "p", [test(.glob, .text("[!x-z]?"))]),
            ],
            [
                ("a", #"{"p": "xäbc"}"#),
                ("b", #"{"p": "/a/c"}"#),
                ("c", #"{"p": "/a/c/d"}"#),
                ("d", #"{"p": "kQ"}"#),
            ],
            ["c": "a", "s": "a", "n": "b c", "g": "b", "h": "b c", "r": "d"]
        ),
        LanguageCase(
            "not_contains_ignores_case",
            [
                ("c", "p", [test(.notContains, .text("b"))])
            ],
            [
                ("u", #"{"p": "ABC"}"#)
            ],
            ["c": ""]
        ),
        LanguageCase(
            "text_operator_on_number",
            [
                ("c", "p", [test(.startsWith, .text("12"))])
            ],
            [
                ("u", #"{"p": 1250}"#)
            ],
            ["c": "u"]
        ),
        LanguageCase(
            "text_operators_on_numbers_booleans",
            [
                ("c", "p", [test(.contains, .text("RU"))]),
                ("g", "p", [test(.glob, .text("1?"))]),
                ("e", "p", [test(.endsWith, .integer(5))]),
            ],
            [
                ("a", #"{"p": true}"#),
                ("b", #"{"p": 12}"#),
                ("c", #"{"p": 1.5}"#),
                ("d", #"{"p": 12.0}"#),
            ],
            ["c": "a", "g": "b d", "e": "c"]
        ),
    ]

    static let texts: [LanguageCase] = [
        LanguageCase(
            "lowercase_scalar_by_scalar",
            [
                ("s", "p", [test(.contains, .text("ß"))]),
                ("i", "p", [test(.contains, .text("i"))]),
                ("f", "p", [test(.contains, .text("ας"))]),
                ("g", "p", [test(.contains, .text("ασ"))]),
            ],
            [
                ("a", #"{"p": "STRASSE"}"#),
                ("b", #"{"p": "İx"}"#),
                ("c", #"{"p": "ΑΣ"}"#),
            ],
            ["s": "", "i": "", "f": "", "g": "c"]
        ),
        LanguageCase(
            "glob_slashes",
            [
                ("q", "p", [test(.glob, .text("a?c"))]),
                ("n", "p", [test(.glob, .text("a[!b]c"))]),
                ("s", "p", [test(.glob, .text("**/c"))]),
                ("t", "p", [test(.glob, .text("**c"))]),
                ("o", "p", [test(.glob, .text("*c"))]),
                ("k", "p", [test(.glob, .text("A*"))]),
            ],
            [
                ("a", #"{"p": "a/c"}"#),
                ("b", #"{"p": "axc"}"#),
                ("c", #"{"p": "c"}"#),
                ("d", #"{"p": "/c"}"#),
                ("f", #"{"p": "x/y/c"}"#),
            ],
            ["q": "b", "n": "b", "s": "a d f", "t": "a b c d f", "o": "b c", "k": ""]
        ),
        LanguageCase(
            "predicates_dates_versions",
            [
                ("d", "p", [test(.greaterOrEqual, .text("2026-01-05"))]),
                ("v", "p", [test(.versionGreater, .text("2.9"))]),
                (
                    "w", "p",
                    [
                        test(.versionGreaterOrEqual, .text("2.10.0")),
                        test(.versionLessOrEqual, .text("2.10")),
                    ]
                ),
            ],
            [
                ("a", #"{"p": "2026-01-05"}"#),
                ("b", #"{"p": "2026-01-05T00:30:00+01:00"}"#),
                ("c", #"{"p": "2.10"}"#),
                ("d", #"{"p": "2.x"}"#),
                ("f", #"{"p": 20260106}"#),
            ],
            ["d": "a", "v": "c f", "w": "c"]
        ),
        LanguageCase(
            "version_parts",
            [
                ("v", "p", [test(.versionLessOrEqual, .text("2.0"))])
            ],
            [
                ("a", #"{"p": 2}"#),
                ("b", #"{"p": "2.0.0"}"#),
                ("c", #"{"p": "2.0.1"}"#),
                ("d", #"{"p": true}"#),
                ("f", #"{"p": "v1"}"#),
                ("g", #"{"p": "1.10"}"#),
                ("h", #"{"p": "2.00"}"#),
            ],
            ["v": "a b g h"]
        ),
        LanguageCase(
            "dates_cut_and_forms",
            [
                ("d", "p", [test(.between, .text("2026-01-05"), .text("2026-01-05T00:00:00Z"))])
            ],
            [
                ("a", #"{"p": "2026-01-05T00:00:00.0009Z"}"#),
                ("b", #"{"p": "2026-01-05t00:00:00z"}"#),
                ("c", #"{"p": "2026-01-04T23:59:60Z"}"#),
                ("d", #"{"p": "2026-01-05T00:00:00"}"#),
                ("f", #"{"p": "2026-01-05"}"#),
                ("g", #"{"p": "2026-01-05T01:00:00+01:00"}"#),
                ("h", #"{"p": "2026-01-05 00:00:00Z"}"#),
                ("k", #"{"p": 20260105}"#),
            ],
            ["d": "a b f g"]
        ),
        LanguageCase(
            "ordered_fails_on_bool_and_text",
            [
                ("i", "p", [test(.greaterOrEqual, .integer(0))]),
                ("n", "p", [test(.less, .integer(0))]),
            ],
            [
                ("a", #"{"p": true}"#),
                ("b", #"{"p": "abc"}"#),
                ("c", #"{"p": "1e2"}"#),
                ("d", #"{"p": "+1"}"#),
                ("f", #"{"p": "-.5"}"#),
                ("g", #"{"p": " -0.5 "}"#),
                ("h", #"{"p": ""}"#),
            ],
            ["i": "c", "n": "g"]
        ),
        LanguageCase(
            "numbers_in_text",
            [
                ("n", "p", [test(.between, .integer(5), .integer(5))])
            ],
            [
                ("a", #"{"p": " 5 "}"#),
                ("b", #"{"p": "\t5"}"#),
                ("c", #"{"p": "5."}"#),
                ("d", #"{"p": "5e0"}"#),
                ("f", #"{"p": 5}"#),
                ("g", #"{"p": true}"#),
                ("h", #"{"p": "05"}"#),
                ("k", #"{"p": ["x", "5"]}"#),
            ],
            ["n": "a d f k"]
        ),
        LanguageCase(
            "int64_stays_exact",
            [
                ("i", "p", [test(.equal, .integer(9007199254740993))]),
                ("t", "p", [test(.equal, .text("9007199254740993"))]),
                ("g", "p", [test(.greater, .integer(9007199254740992))]),
            ],
            [
                ("a", #"{"p": 9007199254740993}"#),
                ("b", #"{"p": 9007199254740992}"#),
                ("c", #"{"p": 9007199254740992.0}"#),
            ],
            ["i": "a", "t": "a", "g": "a"]
        ),
        LanguageCase(
            "beyond_64_bits_is_a_double",
            [
                ("i", "p", [test(.equal, .double(9.223372036854776e+18))]),
                ("t", "p", [test(.equal, .text("9223372036854776000"))]),
                ("x", "p", [test(.equal, .text("9223372036854775808"))]),
            ],
            [
                ("a", #"{"p": 9223372036854775808}"#),
                ("b", #"{"p": 9223372036854775807}"#),
            ],
            ["i": "a", "t": "a", "x": ""]
        ),
        LanguageCase(
            "minus_zero_is_zero",
            [
                ("i", "p", [test(.equal, .integer(0))]),
                ("t", "p", [test(.equal, .text("0"))]),
            ],
            [
                ("a", #"{"p": -0.0}"#),
                ("b", #"{"p": "-0"}"#),
            ],
            ["i": "a", "t": "a"]
        ),
        LanguageCase(
            "canonical_no_exponent",
            [
                ("i", "p", [test(.equal, .text("100000000000000000000000"))]),
                ("s", "p", [test(.equal, .text("0.0000001"))]),
            ],
            [
                ("a", #"{"p": 1e+23}"#),
                ("b", #"{"p": 1e-07}"#),
            ],
            ["i": "a", "s": "b"]
        ),
        LanguageCase(
            "path_after_null_name",
            [
                ("p", "a.b", [test(.equal, .integer(1))])
            ],
            [
                ("a", #"{"a.b": null, "a": {"b": 1}}"#),
                ("b", #"{"a": [{"b": 1}]}"#),
                ("c", #"{"a.b": 1, "a": {"b": 2}}"#),
                ("d", #"{"a": {"b": "1"}}"#),
            ],
            ["p": "a c d"]
        ),
    ]
}
