import Basics

/// Makes definitions over the alphabets of ``OracleHistoryGenerator``.
struct OracleDefinitionGenerator {
    let scene: OracleScene
    private let guide: OracleGuide
    private var ids: [String] = []
    /// The zone of the definition in hand.
    private var zone: String?

    init(scene: OracleScene, guide: OracleGuide) {
        self.scene = scene
        self.guide = guide
    }

    mutating func definitions(_ generator: inout SeededGenerator) -> [OracleDefinition] {
        var definitions: [OracleDefinition] = []
        let names = ["c", "b-1", "b", "a_0", "z9"]
        for id in names.prefix(generator.number(in: 1...4)) {
            zone = generator.chance(percent: 50) ? nil : generator.pick(scene.zones)
            let clause = clause(depth: generator.pick([0, 0, 0, 1, 1, 2]), &generator)
            definitions.append(OracleDefinition(id: id, zone: zone, users: clause))
            ids.append(id)
        }
        if generator.chance(percent: 50) { definitions.reverse() }
        return definitions
    }

    private func clause(depth: Int, _ generator: inout SeededGenerator) -> OracleClause {
        if depth > 0 {
            switch generator.below(5) {
            case 0, 1:
                // Of clauses that hold now and then, several rarely hold together; their opposites do.
                return .all(
                    parts(depth, &generator).map {
                        generator.chance(percent: 50) ? .not($0) : $0
                    }
                )
            case 2, 3: return .any(parts(depth, &generator))
            default: return .not(clause(depth: depth - 1, &generator))
            }
        }
        let kind = generator.below(40)
        if kind == 37 { return .uploaded }
        if kind > 37, !ids.isEmpty { return .memberOf(generator.pick(ids)) }
        if generator.chance(percent: 20) { return leaf(kind, &generator) }
        return guide.pick(zone: zone) { leaf(kind, &generator) }
    }

    private func leaf(_ kind: Int, _ generator: inout SeededGenerator) -> OracleClause {
        switch kind {
        case 0..<15: .performed(performed(&generator))
        case 15..<19: .sequence(sequence(&generator))
        case 19..<23: .retained(retained(&generator))
        case 23..<27: .hadProperty(hadProperty(&generator))
        case 27..<31: .property(properties(Self.userProperties, &generator))
        case 31, 32: .active(window(&generator))
        case 33, 34: .inactive(window(&generator))
        default: .new(window(&generator))
        }
    }

    private func parts(_ depth: Int, _ generator: inout SeededGenerator) -> [OracleClause] {
        (0..<generator.number(in: 1...3)).map { _ in clause(depth: depth - 1, &generator) }
    }

    // MARK: Clauses

    private func sequence(_ generator: inout SeededGenerator) -> OracleSequence {
        let count = generator.pick([2, 2, 2, 2, 2, 3, 4])
        var sequence = OracleSequence(
            steps: (0..<count).map { _ in filter(broad: true, &generator) },
            within: generator.chance(percent: 40)
                ? max(seconds(upTo: 1, &generator), seconds(upTo: 1, &generator)) : nil
        )
        if generator.chance(percent: 25) {
            sequence.same = generator.chance(percent: 92) ? ["item"] : same(&generator)
            sequence.steps = Array(sequence.steps.prefix(2))
            if generator.chance(percent: 50) { sequence.within = nil }
        }
        let isFree = !sequence.same.isEmpty && generator.chance(percent: 40)
        sequence.window = isFree ? .anyTime : window(&generator)
        return sequence
    }

    private func retained(_ generator: inout SeededGenerator) -> OracleRetained {
        let first = generator.pick([0, 0, 0, 0, 1, 2])
        return OracleRetained(
            start: generator.chance(percent: 30) ? nil : filter(broad: true, &generator),
            end: filter(broad: true, &generator),
            days: (first, first + generator.pick([1, 2, 7, 30, 100])),
            window: window(&generator)
        )
    }

    private func hadProperty(_ generator: inout SeededGenerator) -> OracleHadProperty {
        OracleHadProperty(
            properties: properties(Self.userProperties, &generator),
            isMostRecent: generator.chance(percent: 50),
            window: window(&generator)
        )
    }

    // MARK: Events and windows

    private static let types = ["buy", "view", "ping", "open", "never"]
    static let eventProperties = [
        "p", "price", "cart.total", "cart", "v", "path", "tags", "day", "item",
    ]
    static let userProperties = [
        "tier", "country", "cart.total", "cart", "score", "app_version", "path", "tags", "day",
    ]

    func filter(broad: Bool = false, _ generator: inout SeededGenerator) -> OracleFilter {
        var filter = OracleFilter(events(broad, &generator))
        if generator.chance(percent: broad ? 10 : 25) {
            filter.whereEvent = properties(Self.eventProperties, &generator)
        }
        if generator.chance(percent: broad ? 5 : 15) {
            filter.whereUser = properties(Self.userProperties, &generator)
        }
        return filter
    }

    private func events(
        _ broad: Bool,
        _ generator: inout SeededGenerator
    ) -> OracleFilter.Events {
        switch generator.below(broad ? 8 : 12) {
        case 0, 1, 2: .any
        case 3: .active
        case 4, 5: .named(["buy", generator.pick(Self.types)])
        case 6: .named(["buy"])
        default: .named([generator.pick(Self.types)])
        }
    }

    /// Whole seconds, up to a part of the history's length.
    func seconds(upTo divisor: Int, _ generator: inout SeededGenerator) -> Int64 {
        Int64(generator.number(in: 1...max(1, scene.spanSeconds / divisor))) * 1000
    }

    func window(_ generator: inout SeededGenerator) -> OracleWindow {
        let base = scene.base
        let span = scene.spanSeconds
        let days = span / 86_400
        let offset = generator.chance(percent: 50) ? seconds(upTo: 3, &generator) : nil
        switch generator.below(20) {
        case 0..<3: return .anyTime
        case 3..<8: return .last(seconds(upTo: 1, &generator), offset: offset)
        case 8..<14:
            let isDay = generator.chance(percent: 50)
            return .aligned(
                isDay ? .day : .week,
                count: generator.number(in: 1...max(2, isDay ? days / 2 : days / 10)),
                excludesCurrent: generator.chance(percent: 50),
                offset: offset
            )
        case 14, 15:
            let first = OracleDate.floor(base, 86_400_000) + generator.number(in: -2...days / 2)
            let last = first + generator.number(in: 0...max(1, days))
            return .dates(from: first, to: generator.chance(percent: 50) ? nil : last)
        case 16, 17:
            let first = base + Int64(generator.number(in: -1000...span * 700))
            let last = first + Int64(generator.number(in: 0...span * 1000))
            return .instants(from: first, to: generator.chance(percent: 50) ? nil : last)
        default: return .withinFirst(seconds(upTo: 2, &generator))
        }
    }

    func same(_ generator: inout SeededGenerator) -> [String] {
        if generator.chance(percent: 60) { return ["item"] }
        return generator.pick([["p"], ["price"], ["v"], ["tags"], ["item", "p"], ["cart.total"]])
    }
}
