import Glibc

/// The time zones this machine knows: the compiled files of Debian's `tzdata`.
package enum ZoneFiles {
    private static let folder = "/usr/share/zoneinfo/"

    /// Whether a zone of that name exists, spelled as the IANA data base spells it.
    package static func exists(_ name: String) -> Bool {
        // UTC needs no file, so that a machine without tzdata runs with the default zone.
        if name == "UTC" { return true }
        let letters = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        guard letters, !name.isEmpty, !name.hasPrefix("/"), name.utf8.count <= 64 else {
            return false
        }
        let descriptor = open(folder + name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var magic = [UInt8](repeating: 0, count: 4)
        return read(descriptor, &magic, 4) == 4 && magic == Array("TZif".utf8)
    }
}
