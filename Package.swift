// swift-tools-version: 6.2
// The package of cohortd. It names no outside package: a build needs the Debian libraries listed in
// README.md and the Swift toolchain, nothing else. Which target may import which is docs/architecture.md;
// .ci/check-imports holds it.
import PackageDescription

/// What every Swift target is compiled with.
///
/// Release builds optimise across modules, so that the
/// plain `swift build -c release` is the fast one.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

func library(_ name: String, _ dependencies: [String]) -> Target {
    .target(
        name: name,
        dependencies: dependencies.map { .byName(name: $0) },
        swiftSettings: settings
    )
}

func program(_ name: String, _ dependencies: [String]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies.map { .byName(name: $0) },
        swiftSettings: settings
    )
}

func tests(_ name: String, _ dependencies: [String]) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: (dependencies + [name]).map { .byName(name: $0) },
        swiftSettings: settings
    )
}

let package = Package(
    name: "cohortd",
    products: [
        .executable(name: "cohortd", targets: ["cohortd"]),
        .executable(name: "cohortctl", targets: ["cohortctl"]),
        .executable(name: "cohort-bench", targets: ["cohort-bench"]),
    ],
    targets: [
        // System libraries: a module map and a shim each, and one importer each.
        .systemLibrary(name: "CProcessor"),
        .systemLibrary(name: "CPrefetch"),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CRdKafka"),
        .systemLibrary(name: "CLZ4"),
        .systemLibrary(name: "CYAML"),
        .systemLibrary(name: "CCurl"),
        .systemLibrary(name: "CMicroHTTPD"),
        .systemLibrary(name: "CCrypto"),
        .systemLibrary(name: "CSystemd"),
        .target(name: "CAllocationCount"),
        .target(name: "CDecompressionLimit"),
        .target(name: "CSanitizedThreads"),
        .target(
            name: "CSimdJSON",
            cxxSettings: [.unsafeFlags(["-O3"], .when(configuration: .release))],
            linkerSettings: [.linkedLibrary("simdjson")]
        ),

        // The core: pure, synchronous, no Foundation.
        library("Basics", ["CProcessor"]),
        library("YAML", ["Basics", "CYAML"]),
        library("Telemetry", ["Basics"]),
        library("Events", ["Basics", "CSimdJSON"]),
        library("Cohorts", ["Basics", "Events", "YAML"]),
        library("Engine", ["Basics", "Events", "Cohorts", "CPrefetch"]),
        library("LogStore", ["Basics", "CLZ4"]),
        library("Traffic", ["Basics"]),
        library("Configuration", ["Basics", "YAML"]),
        library("Cryptography", ["CCrypto"]),
        library("Templates", ["Basics", "YAML", "Configuration", "Cryptography"]),
        library("Sync", ["Basics", "Templates"]),
        library("Delivery", ["Basics", "Sync", "Templates"]),
        library("Replay", ["Basics", "Events", "Cohorts", "Engine", "Configuration"]),

        // The shell: threads, sockets, files.
        library("Threads", ["Basics"]),
        library(
            "Kafka",
            ["Basics", "Threads", "CRdKafka", "CDecompressionLimit", "CSanitizedThreads"]
        ),
        library(
            "Destinations",
            [
                "Basics", "Sync", "Templates", "Delivery", "Configuration", "Cryptography",
                "Threads", "CCurl",
            ]
        ),
        library("KafkaDelivery", ["Basics", "Sync", "Threads", "Kafka"]),
        library("HTTPAPI", ["Basics", "Cryptography", "Sync", "Threads", "CMicroHTTPD"]),
        library("Arguments", ["Basics"]),
        library("InputFiles", ["Basics", "Cohorts", "Configuration"]),
        library(
            "Daemon",
            [
                "Basics", "YAML", "Telemetry", "Events", "Cohorts", "Engine", "LogStore", "Sync",
                "Replay",
                "Configuration", "Templates", "Delivery", "InputFiles", "Threads", "Kafka",
                "KafkaDelivery", "Destinations", "HTTPAPI", "Traffic", "CMalloc",
                "CSystemd",
            ]
        ),
        program(
            "cohortd",
            [
                "Basics", "Arguments", "InputFiles", "Configuration", "Destinations", "Daemon",
                "Telemetry", "Threads",
            ]
        ),
        program(
            "cohortctl",
            [
                "Basics", "YAML", "Arguments", "InputFiles", "Configuration", "Events", "Cohorts",
                "Engine", "Replay", "Sync", "Templates", "Threads", "Delivery", "Destinations",
            ]
        ),
        program(
            "cohort-bench",
            [
                "Basics", "Arguments", "InputFiles", "Configuration", "Events", "Cohorts", "Engine",
                "Replay", "Templates", "Sync", "Delivery", "Destinations", "Threads", "Kafka",
                "HTTPAPI", "Telemetry", "Daemon", "Traffic", "CAllocationCount",
            ]
        ),

        // Tests. TestKit is what several suites share: the oracle, generators, the simulated disk. It is
        // optimised in debug builds too: twenty thousand histories through the oracle would take minutes more.
        .target(
            name: "TestKit",
            dependencies: ["Basics"],
            path: "Tests/Support",
            swiftSettings: settings + [.unsafeFlags(["-O"], .when(configuration: .debug))]
        ),
        // Partners on loopback: a server that a test scripts, partners with their limits and faults, and a proxy
        // that cuts connections.
        .target(
            name: "PartnerKit",
            dependencies: ["Basics"],
            path: "Tests/Partner",
            swiftSettings: settings
        ),
        // A Kafka on loopback that a test scripts down to the bytes. Optimised in debug builds too: its batches may be
        // bombs.
        .target(
            name: "BrokerKit",
            dependencies: ["Basics", "PartnerKit"],
            path: "Tests/Broker",
            swiftSettings: settings + [.unsafeFlags(["-O"], .when(configuration: .debug))]
        ),
        // cohortd with a bug that a certain record meets.
        .executableTarget(
            name: "crashing-daemon",
            dependencies: [
                "Basics", "Daemon", "Destinations", "InputFiles", "Telemetry", "Threads",
            ],
            path: "Tests/CrashingDaemon",
            swiftSettings: settings
        ),
        // What the fuzzers do with an input; the suites do it with those that once failed.
        .target(
            name: "FuzzBodies",
            dependencies: ["Basics", "Events", "YAML", "Cohorts"],
            path: "Tests/Fuzz/Bodies",
            swiftSettings: settings
        ),
        tests("Basics", []),
        tests("YAML", ["Basics"]),
        tests("Telemetry", ["Basics", "YAML", "TestKit"]),
        tests("Traffic", ["Basics"]),
        tests("Events", ["Basics", "FuzzBodies", "TestKit"]),
        tests("Cohorts", ["Basics", "Events", "YAML", "FuzzBodies", "TestKit"]),
        tests(
            "Engine",
            ["Basics", "Events", "Cohorts", "Configuration", "InputFiles", "Replay", "TestKit"]
        ),
        tests("LogStore", ["Basics", "TestKit"]),
        tests("Sync", ["Basics", "Templates", "Configuration"]),
        tests("Configuration", ["Basics"]),
        tests("Cryptography", ["TestKit"]),
        tests("Templates", ["Basics", "Configuration", "TestKit"]),
        tests("Delivery", ["Basics", "Configuration", "Sync", "Templates"]),
        tests("InputFiles", ["Basics", "Cohorts"]),
        // Runs the built cohortctl over recorded and made-up events.
        .testTarget(
            name: "ReplayTests",
            dependencies: ["Basics", "TestKit", "cohortctl"],
            swiftSettings: settings
        ),
        tests("Kafka", ["Basics", "Sync", "KafkaDelivery", "BrokerKit"]),
        tests("Destinations", ["Basics", "Sync", "Delivery", "Configuration", "PartnerKit"]),
        // Planner, worker and sender against partners on loopback.
        .testTarget(
            name: "PartnerTests",
            dependencies: [
                "Basics", "Configuration", "Templates", "Sync", "Delivery", "Destinations",
                "Threads", "PartnerKit", "TestKit",
            ],
            swiftSettings: settings
        ),
        tests("HTTPAPI", ["Basics", "Sync", "TestKit", "Threads"]),
        tests("Threads", ["Basics"]),
        tests("Arguments", []),
        // Runs the built programs as their users do.
        .testTarget(
            name: "CommandTests",
            dependencies: ["Basics", "cohortctl", "cohortd", "cohort-bench", "HTTPAPI", "TestKit"],
            swiftSettings: settings
        ),
        // Runs the built cohortd against a broker and receivers of its own.
        tests(
            "Daemon",
            [
                "Basics", "Telemetry", "Events", "Cohorts", "Engine", "LogStore", "Sync", "Threads",
                "Kafka", "Destinations", "HTTPAPI", "cohortd", "cohortctl", "cohort-bench",
                "TestKit", "BrokerKit", "crashing-daemon", "Configuration",
            ]
        ),
    ],
    cxxLanguageStandard: .cxx17
)

// Harnesses for libFuzzer, which links a main of its own: tools/fuzz asks for them, and nobody else.
if Context.environment["COHORTD_FUZZ"] == "1" {
    for name in ["EventDecoderFuzz", "DefinitionParserFuzz"] {
        package.targets.append(
            .target(
                name: name,
                dependencies: ["Basics", "FuzzBodies"],
                path: "Tests/Fuzz/\(name)",
                swiftSettings: settings
            )
        )
    }
}
