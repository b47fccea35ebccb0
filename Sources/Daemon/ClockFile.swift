import Basics
import InputFiles
import LogStore

/// The file `clock` of the data directory: when the wall clock was last believed, and since which start of the machine
/// that is comparable.
///
/// What it cannot say costs a witness at the next start, no more, so nothing about it is an error.
struct ClockFile {
    private static let name = "clock"
    private static let bootIDPath = "/proc/sys/kernel/random/boot_id"

    private let files: SmallFiles<DiskFileSystem>
    private let bootID: String?
    /// What the file holds.
    private(set) var reference: ClockReading?

    /// Reads what an earlier run left.
    ///
    /// - Parameters:
    ///   - files: Those of the data directory.
    ///   - bootID: Names the time since the machine was started; nil where that is unknown.
    init(_ files: SmallFiles<DiskFileSystem>, bootID: String? = ClockFile.bootIDOfMachine) {
        self.files = files
        self.bootID = bootID
        reference = Self.read(files, bootID)
    }

    /// Keeps the reference, if it is another one than the file has.
    ///
    /// - Returns: What failed.
    mutating func keep(_ reference: ClockReading?) -> StoreError? {
        guard let bootID, let reference, reference != self.reference else { return nil }
        self.reference = reference
        let text = "\(bootID) \(reference.now.milliseconds) \(reference.sinceBoot)\n"
        do throws(StoreError) {
            try files.writeAtomically(Self.name, Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }

    private static func read(
        _ files: SmallFiles<DiskFileSystem>,
        _ bootID: String?
    ) -> ClockReading? {
        let bytes: [UInt8]?
        do throws(StoreError) {
            bytes = try files.read(name)
        } catch {
            return nil
        }
        let words = String(decoding: bytes ?? [], as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 3, let bootID, words[0] == bootID, let now = Int64(words[1]),
            let sinceBoot = Int64(words[2])
        else { return nil }
        return ClockReading(now: EventTime(milliseconds: now), sinceBoot: sinceBoot)
    }

    /// The id that Linux gave this run of the machine.
    static var bootIDOfMachine: String? {
        do throws(InputError) {
            let text = String(decoding: try InputFiles.read(bootIDPath), as: UTF8.self)
            return text.split(separator: "\n").first.map(String.init)
        } catch {
            return nil
        }
    }
}
