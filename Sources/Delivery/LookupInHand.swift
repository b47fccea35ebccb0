import Basics
import Sync
import Templates

/// The ids of the partner's own that the users of one batch need.
struct LookupInHand: Sendable {
    /// Users to be asked for, by their place in the batch, a request each; the next one last.
    var waiting: [[Int]] = []
    /// What was found, by place.
    var found: [Int: String] = [:]
}

extension BatchInHand {
    /// The text by which a user is looked up.
    func lookupKey(_ place: Int) -> String {
        changes.withRow(place) { MappedRow.cell(0, of: $0).string }
    }

    /// Begins to look up the users that are still to be sent.
    mutating func beginLookup(_ rule: Lookup, known: (String) -> String?) {
        var lookup = LookupInHand()
        var unknown: [Int] = []
        for place in pending.reversed().joined() {
            if let id = known(lookupKey(place)) {
                lookup.found[place] = id
            } else {
                unknown.append(place)
            }
        }
        for start in stride(from: 0, to: unknown.count, by: rule.itemsMax).reversed() {
            let end = min(start + rule.itemsMax, unknown.count)
            lookup.waiting.append(Array(unknown[start..<end]))
        }
        self.lookup = lookup
    }

    /// Takes what was found; the others are not at the partner.
    mutating func takeLookup(_ places: [Int], _ found: [String: String]) {
        for place in places {
            if let id = found[lookupKey(place)] {
                lookup?.found[place] = id
            } else {
                skipLookup(place, reason: Lookup.missingReason)
            }
        }
    }

    /// Leaves out a user who cannot be looked up.
    mutating func skipLookup(_ place: Int, reason: String) {
        withdraw(place)
        mark(CollectionOfOne(place), .skipped, reason: reason)
    }

    /// Puts the ids behind the users' own, where member requests read them.
    mutating func endLookup() {
        changes = changes.naming(lookup?.found ?? [:])
        lookup = nil
        isLookedUp = true
    }
}
