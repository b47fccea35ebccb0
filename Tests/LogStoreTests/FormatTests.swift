import Basics
import TestKit
import Testing

@testable import LogStore

/// The worked example of docs/formats.md, whose bytes were made by a second program.
@Suite("Formats")
struct FormatTests {
    @Test("a small log has the bytes of the worked example")
    func golden() throws {
        let disk = SimulatedDisk()
        var found = Contents()
        var log = try SimulatedLog.open(disk, into: &found)
        log.append(1, Array("hello".utf8))
        log.append(2, [])
        try log.commit("42")
        try log.close()
        #expect(hexadecimal(disk.contents("/log/wal-1")) == Self.wal)
        #expect(hexadecimal(disk.contents("/log/MANIFEST-1")) == Self.manifest)
        #expect(hexadecimal(disk.contents("/log/SYNCED")) == Self.mark)
        for (name, start, end) in [
            ("ROOT-A", Self.rootA, "8576389f"), ("ROOT-B", Self.rootB, Self.rootBEnd),
        ] {
            let text = hexadecimal(disk.contents("/log/\(name)"))
            #expect(text.hasPrefix(start), "\(name)")
            #expect(text.hasSuffix(end), "\(name)")
            #expect(text.dropFirst(start.count).dropLast(8).allSatisfy { $0 == "0" }, "\(name)")
            #expect(text.count == 1024, "\(name)")
        }
    }

    @Test("the worked example's bytes are read as what they say")
    func readGolden() throws {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/log")
        disk.place("/log/wal-1", bytes(Self.wal))
        disk.place("/log/MANIFEST-1", bytes(Self.manifest))
        for (name, start, end) in [
            ("ROOT-A", Self.rootA, "8576389f"), ("ROOT-B", Self.rootB, Self.rootBEnd),
        ] {
            let padding = [UInt8](repeating: 0, count: 508 - start.count / 2)
            disk.place("/log/\(name)", bytes(start) + padding + bytes(end))
        }
        let found = try contents(of: disk)
        #expect(
            found.groups == [
                [.init(type: 1, payload: Array("hello".utf8)), .init(type: 2, payload: [])]
            ]
        )
        #expect(found.cuts == [Array("42".utf8)])
    }

    @Test("a later minor version is read, a later major version is refused by its number")
    func versions() throws {
        for (offset, isRead) in [(9, true), (8, false)] {
            var header = FileHeader(kind: .wal, identity: identity, number: 1, firstGroup: 1)
                .encoded
            header[offset] = 2
            let checksum = Array(header.prefix(60)).withByteView { CRC32C.checksum($0) }
            for index in 0..<4 {
                header[60 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index))
            }
            let result = Result { () throws(FileHeader.Problem) in
                try header.withByteView { (view) throws(FileHeader.Problem) in
                    try FileHeader.decode(view, kind: .wal, identity: identity, number: 1)
                }
            }
            switch result {
            case .success: #expect(isRead)
            case .failure(let problem):
                #expect(problem == .unsupported("format version 2, this program knows 1"))
                #expect(!isRead)
            }
        }
    }

    @Test("frame types from 128 on are skipped, unknown ones below are refused by number")
    func unknownFrames() throws {
        for (type, isRead) in [(128, true), (127, false)] as [(UInt8, Bool)] {
            let disk = SimulatedDisk()
            var found = Contents()
            try SimulatedLog.open(disk, into: &found).close()
            var writer = ByteWriter()
            writer.write(raw: disk.contents("/log/wal-1") ?? [])
            var chain = writer.bytes.withByteView { Hashing.hash64($0) }
            let salt = FileHeader(kind: .wal, identity: identity, number: 1).salt
            Frame.write(
                type: type,
                codec: 0,
                group: 1,
                index: 0,
                salt: salt,
                payload: .empty,
                to: &writer
            )
            chain = Array(writer.bytes.dropFirst(64)).withByteView {
                Hashing.hash64($0, seed: chain)
            }
            CommitPayload(group: 1, records: 0, chain: chain).encoded(cut: .empty).withByteView {
                Frame.write(
                    type: Frame.commit,
                    codec: 0,
                    group: 1,
                    index: 1,
                    salt: salt,
                    payload: $0,
                    to: &writer
                )
            }
            disk.place("/log/wal-1", writer.bytes)
            if isRead {
                #expect(try contents(of: disk).groups == [[]])
            } else {
                let error = #expect(throws: StoreError.self) { try contents(of: disk) }
                #expect(
                    error
                        == .unsupported(path: "/log/wal-1", what: "a frame of type 127 at byte 64")
                )
            }
        }
    }

    @Test(
        "a block that claims more than LZ4 can give, or than 4 MiB, is refused before it is unpacked"
    )
    func bombs() {
        for (length, bytes) in [(256 * 10, 10), (5 << 20, 4 << 20)] {
            var writer = ByteWriter()
            writer.write(UInt32(length))
            writer.write(UInt32(0))
            writer.write(raw: [UInt8](repeating: 0, count: bytes))
            var raw: [UInt8] = []
            let problem = writer.bytes.withByteView {
                BlockCodec.decode(codec: BlockCodec.lz4, $0, appendingTo: &raw)
            }
            #expect(problem == "a block of \(bytes) bytes that claims to hold \(length)")
            #expect(raw.isEmpty)
        }
    }

    private func hexadecimal(_ bytes: [UInt8]?) -> String {
        (bytes ?? []).map { Hexadecimal.text(UInt64($0), digits: 2) }.joined()
    }

    private func bytes(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16)
        }
    }

    private static let wal =
        "89434f480d0a1a0a010001010300000000112233445566778899aabbccddeeff"
        + "270501a142b159ea010000000000000001000000000000000000000024ab0716"
        + "d5c001001700000000000001000000003ce65f9a9a5786940f000000429fd318"
        + "050000000168656c6c6f0000000002d5c003002200000001000001000000007f"
        + "da92ef48d32bcb01000000000000000200000000000000b3b949e035814c2602"
        + "000000000000003432"
    private static let manifest =
        "89434f480d0a1a0a010002010300000000112233445566778899aabbccddeeff"
        + "270501a142b159ea01000000000000000000000000000000000000003e139f00"
        + "0100000000000000400000000000000000000000000000003522f4e474092084"
        + "000000000000000000000000000000000000000000000000000000004a7398c4"
    private static let mark =
        "89434f480d0a1a0a010004010300000000112233445566778899aabbccddeeff"
        + "270501a142b159ea01000000000000000000000000000000000000006acb4d4f"
        + "0100000000000000a90000000000000000000000000000000000000000000000"
        + "00000000000000000000000000000000000000000000000000000000b9446caa"
    private static let rootA =
        "89434f480d0a1a0a010003010300000000112233445566778899aabbccddeeff"
        + "270501a142b159ea010000000000000000000000000000000000000077e563e1"
        + "010000000000000080000000000000004df365e8"
    private static let rootB =
        "89434f480d0a1a0a010003010300000000112233445566778899aabbccddeeff"
        + "270501a142b159ea0000000000000000000000000000000000000000ca1220d6"
    private static let rootBEnd =
        "abed97a0"
}
