package import Basics
package import Cohorts
import Synchronization

/// The time zones this machine knows: the compiled files of Debian's `tzdata`.
///
/// A file is read once; a changed one takes effect at the next start.
package enum ZoneFiles {
    private static let folder = "/usr/share/zoneinfo/"
    /// What was read so far.
    ///
    /// The lock is held for a look-up only, never while a file is read.
    private static let known = Mutex<[String: TimeZoneRules]>([:])

    /// Whether a zone of that name exists, spelled as the IANA data base spells it.
    package static func exists(_ name: String) -> Bool { rules(name) != nil }

    /// The rules of a zone; nil where there is none of that name or its file cannot be used.
    package static func rules(_ name: String) -> TimeZoneRules? {
        // UTC needs no file, so that a machine without tzdata runs with the default zone.
        if name == "UTC" { return .utc }
        guard isName(name) else { return nil }
        if let rules = known.withLock({ $0[name] }) { return rules }
        guard let rules = read(folder + name) else { return nil }
        known.withLock { $0[name] = rules }
        return rules
    }

    /// The rules of every zone that definitions name, and of the one they have where they name none.
    ///
    /// All of them exist: definitions and configuration are refused otherwise.
    package static func rules(
        for definitions: [Definition],
        defaultZone: String
    ) -> [String: TimeZoneRules] {
        var zones: [String: TimeZoneRules] = [:]
        for name in Set(definitions.compactMap(\.timezone) + [defaultZone]) {
            zones[name] = rules(name)
        }
        return zones
    }

    /// Whether a text is a name of the data base, and leads nowhere else.
    private static func isName(_ name: String) -> Bool {
        let letters = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return letters && !name.isEmpty && !name.hasPrefix("/") && name.utf8.count <= 64
    }

    /// A file that cannot be read or is no zone gives nil: the caller's message names the zone.
    private static func read(_ path: String) -> TimeZoneRules? {
        do throws(InputError) {
            return rules(in: try InputFiles.read(path))
        } catch {
            return nil
        }
    }

    private static func rules(in bytes: [UInt8]) -> TimeZoneRules? {
        do throws(TimeZoneRules.Malformed) {
            return try bytes.withByteView { view throws(TimeZoneRules.Malformed) in
                try TimeZoneRules(tzif: view)
            }
        } catch {
            return nil
        }
    }
}
