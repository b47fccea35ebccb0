import Basics

/// Where and when a history takes place.
struct OracleScene {
    /// About the first arrival.
    let base: Int64
    /// From the first to the last arrival, roughly.
    let spanSeconds: Int
    /// Zones that definitions name.
    let zones: [String]

    /// Instants just before clocks change, by zone.
    private static let changes: [(zone: String, date: (Int, Int, Int))] = [
        ("Europe/Berlin", (2026, 3, 28)), ("Europe/Berlin", (2025, 10, 25)),
        // No midnight, and a midnight that comes twice.
        ("America/Sao_Paulo", (2018, 11, 3)), ("America/Sao_Paulo", (2019, 2, 16)),
        ("Africa/Cairo", (2024, 4, 25)), ("Africa/Cairo", (2024, 10, 31)),
        // A day that was left out.
        ("Pacific/Apia", (2011, 12, 29)),
    ]

    init(_ generator: inout SeededGenerator) {
        spanSeconds = generator.pick([
            5, 20, 60, 180, 600, 7200, 86_400, 2 * 86_400, 10 * 86_400, 60 * 86_400,
        ])
        if spanSeconds > 600, generator.chance(percent: 60) {
            let change = generator.pick(Self.changes)
            let (year, month, day) = change.date
            base =
                Int64(OracleDate.day(year: year, month: month, day: day)) * 86_400_000
                + Int64(generator.number(in: 0...20)) * 3_600_000
                - Int64(generator.below(3)) * Int64(spanSeconds) * 250
            zones = [change.zone]
        } else {
            // Also around and before 1970, where remainders change sign.
            base = generator.pick([
                1_767_607_200_000, 1_767_607_200_000, 0, -1000, -157_766_400_000,
            ])
            zones = ["UTC"] + OracleZone.names
        }
    }
}
