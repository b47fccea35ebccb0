import Basics

/// A file read front to back through one buffer, without copying what is looked at.
struct FileWindow<Files: FileSystem>: ~Copyable {
    let files: Files
    let handle: OpenFile
    let fileSize: Int64
    private var buffer: UnsafeMutableRawBufferPointer
    private var start: Int64 = 0
    private var count = 0

    /// Reads `fileSize` bytes of `handle` in steps of about `step`.
    init(_ files: Files, _ handle: OpenFile, fileSize: Int64, step: Int = 1 << 20) {
        self.files = files
        self.handle = handle
        self.fileSize = fileSize
        buffer = .allocate(byteCount: Int(min(Int64(step), max(fileSize, 64))), alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// The bytes at `offset`, nil when the file ends before them; valid until the next call.
    mutating func bytes(at offset: Int64, count wanted: Int) throws(StoreError) -> ByteView? {
        guard offset >= 0, wanted >= 0, offset <= fileSize, fileSize - offset >= Int64(wanted)
        else {
            return nil
        }
        if offset < start || offset + Int64(wanted) > start + Int64(count) {
            if wanted > buffer.count {
                buffer.deallocate()
                buffer = .allocate(byteCount: wanted, alignment: 16)
            }
            let part = min(Int64(buffer.count), fileSize - offset)
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(part)])
            start = offset
            count = 0
            do {
                count = try files.read(handle, into: target, at: offset)
            } catch {
                throw .io(error)
            }
            guard count >= wanted else { return nil }
        }
        return ByteView(UnsafeRawBufferPointer(buffer)).part(
            from: Int(offset - start),
            count: wanted
        )
    }
}
