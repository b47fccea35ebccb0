import Glibc

/// The cores of the machine.
enum ProcessorCore {
    /// How many there are.
    static var count: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// The words that start a program whose threads all stay on one core; nil leaves them to the system.
    static func words(_ program: [String], on core: Int?) -> [String] {
        core.map { ["taskset", "--cpu-list", "\($0)"] + program } ?? program
    }
}
