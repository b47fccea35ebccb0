import Basics
import LogStore
import TestKit
import Testing

/// What a log handed over, group by group.
struct Contents: Equatable {
    struct Record: Equatable {
        var type: UInt8
        var payload: [UInt8]
    }

    var groups: [[Record]] = []
    var cuts: [[UInt8]] = []
    private var open: [Record] = []

    mutating func take(_ entry: LogEntry) {
        switch entry {
        case .record(let type, let payload):
            open.append(Record(type: type, payload: payload.array))
        case .group(let cut):
            groups.append(open)
            cuts.append(cut.array)
            open = []
        }
    }

    /// The records read as "newest of a key wins": type 1 sets, type 2 removes; other types are kept as they are.
    var state: State {
        var state = State()
        for record in groups.joined() {
            switch record.type {
            case 1: state.values[record.payload.first ?? 0] = Array(record.payload.dropFirst())
            case 2: state.values[record.payload.first ?? 0] = nil
            default: state.others = record.payload
            }
        }
        state.cut = cuts.last
        return state
    }

    struct State: Equatable {
        var values: [UInt8: [UInt8]] = [:]
        var others: [UInt8] = []
        var cut: [UInt8]?
    }
}

typealias SimulatedLog = CommitLog<SimulatedDisk>

let store = StoreID(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)
let identity = LogIdentity(store: store, topic: "events", partition: 3)

extension CommitLog {
    /// Opens and takes everything.
    static func open(
        _ files: Files,
        _ directory: String = "/log",
        identity given: LogIdentity = identity,
        create: Bool = true,
        into contents: inout Contents
    ) throws(StoreError) -> CommitLog {
        var found = Contents()
        let log = try open(files, directory: directory, identity: given, createIfMissing: create) {
            found.take($0)
        }
        contents = found
        return log
    }

    mutating func append(_ type: UInt8, _ payload: [UInt8]) {
        payload.withByteView { append(type: type, payload: $0) }
    }

    mutating func commit(_ cut: String) throws(StoreError) {
        try cut.withByteView { (view) throws(StoreError) in try commit(cut: view) }
    }

    mutating func finishRewrite(_ cut: String) throws(StoreError) {
        try cut.withByteView { (view) throws(StoreError) in try finishRewrite(cut: view) }
    }
}

/// Opens, reads, closes.
func contents(
    of disk: SimulatedDisk,
    _ directory: String = "/log",
    identity given: LogIdentity = identity
) throws(StoreError) -> Contents {
    var contents = Contents()
    let log = try SimulatedLog.open(
        disk,
        directory,
        identity: given,
        create: false,
        into: &contents
    )
    try log.close()
    return contents
}

/// All files of a disk under a directory.
func files(_ disk: SimulatedDisk) -> [String: [UInt8]] {
    var all: [String: [UInt8]] = [:]
    for path in disk.paths { all[path] = disk.contents(path) }
    return all
}

/// Bytes that LZ4 cannot shorten.
func noise(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
        withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
    }
    return Array(bytes.prefix(count))
}
