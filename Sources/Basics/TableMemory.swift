import CProcessor
import Glibc

/// Memory for tables that are read all over: in large pages where there is enough of it.
///
/// With pages of 4 KiB nearly every access to a table of a hundred megabytes misses the cache of address
/// translations too, which doubles its price; see docs/performance.md, "What was tried".
public enum TableMemory {
    /// A large page: what the table's address is a multiple of, so that it can begin with one.
    public static let pageBytes = 2 << 20

    /// Memory for `count` elements, all its bytes zero; to be given back by ``deallocate(_:)``.
    ///
    /// Large tables come from the system, which hands out zeros, and go back to it: nothing is written that nobody
    /// needs, and nothing is kept that nobody uses.
    public static func allocate<Element: BitwiseCopyable>(
        _ type: Element.Type,
        count: Int
    ) -> UnsafeMutableBufferPointer<Element> {
        let bytes = count * MemoryLayout<Element>.stride
        let memory = bytes < pageBytes ? small(bytes) : large(bytes)
        return UnsafeMutableBufferPointer(
            start: memory.bindMemory(to: Element.self, capacity: count),
            count: count
        )
    }

    /// Gives back what ``allocate(_:count:)`` gave.
    public static func deallocate<Element: BitwiseCopyable>(
        _ table: UnsafeMutableBufferPointer<Element>
    ) {
        let bytes = table.count * MemoryLayout<Element>.stride
        if bytes < pageBytes {
            free(table.baseAddress)
        } else {
            munmap(table.baseAddress, bytes)
        }
    }

    /// More memory for what is in `table`, zeros behind it; only what this gives may be used from then on.
    ///
    /// Nothing is copied of a large table of whole pages: its pages get another address.
    public static func grow<Element: BitwiseCopyable>(
        _ table: UnsafeMutableBufferPointer<Element>,
        to count: Int
    ) -> UnsafeMutableBufferPointer<Element> {
        precondition(count >= table.count, "\(table.count) elements in memory for \(count)")
        let stride = MemoryLayout<Element>.stride
        let larger = allocate(Element.self, count: count)
        let bytes = table.count * stride
        if bytes >= pageBytes, bytes % pageBytes == 0, count * stride % pageBytes == 0 {
            let isMoved = cohortd_move_pages(
                table.baseAddress,
                bytes,
                larger.baseAddress,
                count * stride
            )
            if isMoved == 0 { outOfMemory(count * stride) }
        } else {
            _ = larger.moveInitialize(fromContentsOf: table)
            deallocate(table)
        }
        return larger
    }

    private static func small(_ bytes: Int) -> UnsafeMutableRawPointer {
        guard let memory = calloc(max(1, bytes), 1) else { outOfMemory(bytes) }
        return memory
    }

    private static func large(_ bytes: Int) -> UnsafeMutableRawPointer {
        // A page too many, so that one begins inside; what is left over goes back at once.
        let taken = bytes + pageBytes
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let memory = mmap(nil, taken, PROT_READ | PROT_WRITE, flags, -1, 0),
            memory != MAP_FAILED
        else { outOfMemory(bytes) }
        let before = -Int(bitPattern: memory) & (pageBytes - 1)
        let end = (before + bytes + smallPageBytes - 1) & ~(smallPageBytes - 1)
        if before > 0 { munmap(memory, before) }
        if end < taken { munmap(memory + end, taken - end) }
        // A hint: a kernel that does not take it serves small pages, which are as good but for speed. The last
        // page is left out unless it is whole, so that no memory is taken that nobody asked for.
        _ = madvise(memory + before, bytes & ~(pageBytes - 1), MADV_HUGEPAGE)
        return memory + before
    }

    /// What the system hands out where it has no large page.
    public static let smallPageBytes = 4096

    private static func outOfMemory(_ bytes: Int) -> Never {
        preconditionFailure("no memory for a table of \(bytes) bytes")
    }
}
