import Foundation
import Glibc
import Testing

/// The zones of this machine and their transitions from 2000 to 2040, as `zdump` of the C library prints
/// them.
///
/// zdump reads the very files we read, with code of its own. Foundation is no judge here: it carries rules
/// of its own, of another release of the data base than the files have.
struct ZoneTable {
    /// One change of offset, isdst or abbreviation.
    struct Transition {
        /// Seconds since 1970.
        var at: Int64
        /// Seconds east of UTC before it and from it on.
        var before: Int64
        var after: Int64
    }

    static let folder = "/usr/share/zoneinfo"

    /// One name of each distinct file, with the file's bytes; empty where there is no tzdata.
    static func zones(in folder: String) -> [(name: String, bytes: [UInt8])] {
        var zones: [(name: String, bytes: [UInt8])] = []
        var known: Set<[UInt8]> = []
        let names =
            (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? [])
        for name in names.sorted() {
            // The same zones again, the second time with leap seconds.
            if name.hasPrefix("posix/") || name.hasPrefix("right/") { continue }
            guard let data = FileManager.default.contents(atPath: folder + "/" + name) else {
                continue
            }
            let bytes = [UInt8](data)
            if bytes.starts(with: Array("TZif".utf8)), known.insert(bytes).inserted {
                zones.append((name, bytes))
            }
        }
        return zones
    }

    /// The transitions of some zones by name.
    static func transitions(of names: [String]) throws -> [String: [Transition]] {
        let paths = names.map { folder + "/" + $0 }
        let lines = try run("/usr/bin/zdump", ["-v", "-c", "2000,2041"] + paths).split(
            separator: "\n"
        )
        var table: [String: [Transition]] = [:]
        var before: Int64 = 0
        for line in lines {
            // /…/Europe/Berlin  Sun Mar 30 00:59:59 2036 UT = … CET isdst=0 gmtoff=3600
            let words = line.split(separator: " ")
            guard words.count == 16, let offset = Int64(words[15].dropFirst("gmtoff=".count)) else {
                try #require(line.hasSuffix("NULL"), "zdump: \(line)")
                continue
            }
            let name = String(words[0].dropFirst(folder.count + 1))
            let instant = try #require(seconds(words[2], words[3], words[4], words[5]), "\(line)")
            if instant % 60 == 59 {
                before = offset
            } else {
                table[name, default: []].append(
                    Transition(at: instant, before: before, after: offset)
                )
            }
        }
        return table
    }

    /// Compiles the source form of the data base with rules instead of lists of transitions.
    /// - Returns: False where the source or the compiler is not there.
    static func compileSlim(to target: String) throws -> Bool {
        let source = folder + "/tzdata.zi"
        guard access(source, R_OK) == 0, access("/usr/sbin/zic", X_OK) == 0 else { return false }
        _ = try run("/usr/sbin/zic", ["-b", "slim", "-d", target, source])
        return true
    }

    private static func seconds(
        _ month: Substring,
        _ day: Substring,
        _ time: Substring,
        _ year: Substring
    ) -> Int64? {
        let months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(separator: " ")
        let clock = time.split(separator: ":").compactMap { Int32($0) }
        guard let month = months.firstIndex(of: month), let day = Int32(day),
            let year = Int32(year),
            clock.count == 3
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, Int32(month), day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (clock[0], clock[1], clock[2])
        return Int64(timegm(&parts))
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) failed")
        return String(decoding: text, as: UTF8.self)
    }
}
