import Basics
import Glibc
import InputFiles

/// CPU time by thread, as the system counts it.
enum ThreadTimes {
    /// Seconds of all threads of this process whose name begins so; of those that have ended nothing.
    static func seconds(named prefix: String) -> Double {
        guard let folder = opendir("/proc/self/task") else { return 0 }
        defer { closedir(folder) }
        var sum = 0.0
        while let entry = readdir(folder) {
            let thread = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard Int(thread) != nil, text(thread, "comm").hasPrefix(prefix),
                let spent = text(thread, "schedstat").split(separator: " ").first,
                let nanoseconds = Double(spent)
            else { continue }
            sum += nanoseconds / 1e9
        }
        return sum
    }

    private static func text(_ thread: String, _ file: String) -> String {
        do throws(InputError) {
            let bytes = try InputFiles.read("/proc/self/task/\(thread)/\(file)")
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            // It has ended meanwhile.
            return ""
        }
    }
}
