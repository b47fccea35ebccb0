import Basics

extension SimulatedDisk {
    /// One state in which a power loss may leave the disk, decided by the seed.
    package func afterPowerLoss(seed: UInt64) -> SimulatedDisk {
        var generator = SeededGenerator(seed: seed)
        let disk = SimulatedDisk(seed: generator.next())
        disk.userID = userID
        disk.ownership = ownership
        disk.nextNode = nextNode
        var names = durableNames
        for change in Self.survivors(of: pendingNames, &generator) {
            Self.apply(change, to: &names)
        }
        for (path, number) in names.sorted(by: { $0.key < $1.key }) {
            guard let node = nodes[number], isReachable(path, names) else { continue }
            let bytes = node.isDirectory ? [] : Self.afterPowerLoss(node, &generator)
            disk.nodes[number] = Node(live: bytes, durable: bytes, isDirectory: node.isDirectory)
            disk.liveNames[path] = number
        }
        disk.durableNames = disk.liveNames
        return disk
    }

    private func isReachable(_ path: String, _ names: [String: Int]) -> Bool {
        var parts = path.split(separator: "/")
        while parts.count > 1 {
            parts.removeLast()
            if names["/" + parts.joined(separator: "/")] == nil { return false }
        }
        return true
    }

    /// None, all, the first few or any of the changes, in order.
    private static func survivors<Element>(
        of changes: [Element],
        _ generator: inout SeededGenerator
    ) -> [Element] {
        switch generator.below(4) {
        case 0: []
        case 1: changes
        case 2: Array(changes.prefix(generator.below(changes.count + 1)))
        default: changes.filter { _ in generator.chance(percent: 50) }
        }
    }

    private static func afterPowerLoss(
        _ node: Node,
        _ generator: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = node.durable
        for change in survivors(of: node.pending, &generator) {
            guard case .write(let offset, let new) = change, generator.chance(percent: 60) else {
                apply(change, to: &bytes)
                continue
            }
            tear(offset, new, &bytes, &generator)
        }
        if node.live.count > bytes.count, generator.chance(percent: 30) {
            // The length was written, the bytes were not.
            let missing = node.live.count - bytes.count
            let garbage = generator.below(3)
            for index in 0..<missing {
                switch garbage {
                case 0: bytes.append(0)
                case 1: bytes.append(UInt8(truncatingIfNeeded: generator.next()))
                default: bytes.append(bytes.isEmpty ? 0 : bytes[index % bytes.count])
                }
            }
        }
        return bytes
    }

    /// Writes some of the 512-byte sectors.
    private static func tear(
        _ offset: Int,
        _ new: [UInt8],
        _ bytes: inout [UInt8],
        _ generator: inout SeededGenerator
    ) {
        var start = 0
        while start < new.count {
            let end = min(new.count, (offset + start) / 512 * 512 + 512 - offset)
            if generator.chance(percent: 60) {
                apply(.write(offset: offset + start, bytes: Array(new[start..<end])), to: &bytes)
            }
            start = end
        }
    }
}

extension SimulatedDisk {
    /// All files and directories of a disk, to make others of.
    package struct Image: Sendable {
        /// The bytes by path.
        package var files: [String: [UInt8]] = [:]
        /// The directories.
        package var directories: [String] = []
    }

    /// What is on the disk now.
    package var image: Image {
        var image = Image()
        for (path, number) in liveNames {
            guard let node = nodes[number] else { continue }
            if node.isDirectory {
                image.directories.append(path)
            } else {
                image.files[path] = node.live
            }
        }
        return image
    }

    /// A disk on which all of the image is durable.
    package convenience init(_ image: Image) {
        self.init()
        for path in image.directories where path != "/" {
            nodes[nextNode] = Node(isDirectory: true)
            liveNames[path] = nextNode
            nextNode += 1
        }
        durableNames = liveNames
        for (path, bytes) in image.files { place(path, bytes) }
    }
}
