import Glibc

/// Writes to open files, pipes and terminals.
package enum DescriptorWriter {
    /// Writes all bytes, however many calls it takes; false leaves the system's reason in `errno`.
    package static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var position = 0
            while position < buffer.count {
                let count = write(
                    descriptor,
                    buffer.baseAddress.map { $0 + position },
                    buffer.count - position
                )
                if count < 0 {
                    if errno == EINTR { continue }
                    return false
                }
                position += count
            }
            return true
        }
    }
}
