import Glibc

/// Memory for tables that are read all over: in large pages where there is enough of it.
///
/// With pages of 4 KiB nearly every access to a table of a hundred megabytes misses the cache of address
/// translations too, which doubles its price; see docs/performance.md, "What was tried".
package enum TableMemory {
    /// A large page: what the table's address is a multiple of, so that it can begin with one.
    private static let pageBytes = 2 << 20

    /// Memory for `count` elements, which are not initialised; freed by `deallocate()`.
    package static func allocate<Element>(
        _ type: Element.Type,
        count: Int
    ) -> UnsafeMutableBufferPointer<Element> {
        let bytes = count * MemoryLayout<Element>.stride
        guard bytes >= pageBytes else { return .allocate(capacity: count) }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: pageBytes)
        // A hint: a kernel that does not take it serves small pages, which are as good but for speed. The last
        // page is left out unless it is whole, so that no memory is taken that nobody asked for.
        _ = madvise(memory, bytes & ~(pageBytes - 1), MADV_HUGEPAGE)
        return UnsafeMutableBufferPointer(
            start: memory.bindMemory(to: Element.self, capacity: count),
            count: count
        )
    }
}
