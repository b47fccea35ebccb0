/// What the nodes of a wire broker share: topics, groups, and the failures that a test asks for.
struct WireCluster {
    /// An answer that is an error instead.
    struct Failure {
        let request: WireRequest
        let code: Int16
        /// Of which topic, where the request names any; nil is all.
        let topic: String?
        /// How often; nil is until it is taken back.
        var times: Int?
    }

    var topics: [String: [WireLog]] = [:]
    var groups: [String: WireGroup] = [:]
    var failures: [Failure] = []
    /// Of the nodes, from 1 on.
    var ports: [Int] = []
    var behaviours: [WireBroker.Behaviour] = []
    /// How often the connections of each were made deaf.
    var deafenings: [Int] = []
    /// The user and the password, where they are asked for.
    var login: (user: String, password: String)?
    /// What was asked, by kind.
    var requestCounts: [WireRequest: Int] = [:]
    private var producerCount: Int64 = 1000

    /// Takes the error that a test wants of this answer, if any.
    mutating func failure(of request: WireRequest, topic: String? = nil) -> Int16? {
        let index = failures.firstIndex {
            $0.request == request && ($0.topic == nil || $0.topic == topic) && $0.times != 0
        }
        guard let index else { return nil }
        if let times = failures[index].times { failures[index].times = times - 1 }
        return failures[index].code
    }

    /// The answer to a request, without its header.
    ///
    /// - Throws: `WireReader.Malformed` where the request has another form.
    mutating func answer(
        _ request: WireRequest,
        _ reader: inout WireReader,
        node: Int32
    ) throws -> [UInt8] {
        var writer = WireWriter()
        switch request {
        case .apiVersions: answerVersions(&writer)
        case .metadata: try answerMetadata(&reader, &writer)
        case .listOffsets: try answerOffsets(&reader, &writer, node)
        case .fetch: try answerFetch(&reader, &writer, node)
        case .produce: try answerProduce(&reader, &writer, node)
        case .initProducerID:
            producerCount += 1
            writer.write(Int32(0))
            writer.write(failure(of: request) ?? WireError.none)
            writer.write(producerCount)
            writer.write(Int16(0))
        case .findCoordinator:
            writer.write(failure(of: request) ?? WireError.none)
            writer.write(Int32(1))
            writer.write("127.0.0.1")
            writer.write(Int32(ports[0]))
        case .joinGroup, .syncGroup, .heartbeat, .leaveGroup, .offsetCommit, .offsetFetch,
            .describeGroups:
            try answerGroup(request, &reader, &writer)
        case .saslHandshake:
            writer.write(WireError.none)
            writer.write(array: ["PLAIN"]) { $0.write($1) }
        case .saslAuthenticate:
            let isRight = isLogin(try reader.data())
            writer.write(isRight ? WireError.none : WireError.saslAuthenticationFailed)
            writer.write(isRight ? nil : "no such user, or another password")
            writer.write(data: [])
        }
        return writer.bytes
    }

    /// Whether these are the bytes of SASL/PLAIN for the user and the password.
    private func isLogin(_ bytes: [UInt8]) -> Bool {
        guard let login else { return true }
        return bytes == [0] + Array(login.user.utf8) + [0] + Array(login.password.utf8)
    }

    private func answerVersions(_ writer: inout WireWriter) {
        writer.write(WireError.none)
        // Of a compact array: one more than there are; and no tagged fields.
        writer.write(UInt8(WireRequest.allCases.count + 1))
        for request in WireRequest.allCases {
            writer.write(request.rawValue)
            writer.write(Int16(0))
            writer.write(request.version)
            writer.write(UInt8(0))
        }
        writer.write(Int32(0))
        writer.write(UInt8(0))
    }

    private mutating func answerMetadata(
        _ reader: inout WireReader,
        _ writer: inout WireWriter
    ) throws {
        let asked = try reader.array { try $0.string() ?? "" }
        let names = asked.isEmpty ? topics.keys.sorted() : asked
        writer.write(Int32(0))
        writer.write(array: Array(ports.enumerated())) { writer, node in
            writer.write(Int32(node.offset + 1))
            writer.write("127.0.0.1")
            writer.write(Int32(node.element))
            writer.write(nil as String?)
        }
        writer.write("wire")
        writer.write(Int32(1))
        writer.write(Int32(names.count))
        for name in names {
            let missing = topics[name] == nil ? WireError.unknownTopicOrPartition : WireError.none
            let code = failure(of: .metadata, topic: name) ?? missing
            writer.write(code)
            writer.write(name)
            writer.write(UInt8(0))
            let logs = code == WireError.none ? topics[name] ?? [] : []
            writer.write(array: Array(logs.enumerated())) { writer, log in
                writer.write(WireError.none)
                writer.write(Int32(log.offset))
                writer.write(log.element.leader)
                for _ in ["replicas", "in sync"] {
                    writer.write(array: [log.element.leader]) { $0.write($1) }
                }
            }
        }
    }

    /// What is wrong with asking this node for a partition.
    private mutating func refusal(
        _ request: WireRequest,
        _ topic: String,
        _ partition: Int32,
        _ node: Int32
    ) -> Int16? {
        if let code = failure(of: request, topic: topic) { return code }
        guard let logs = topics[topic], logs.indices.contains(Int(partition)) else {
            return WireError.unknownTopicOrPartition
        }
        return logs[Int(partition)].leader == node ? nil : WireError.notLeader
    }

    private mutating func answerOffsets(
        _ reader: inout WireReader,
        _ writer: inout WireWriter,
        _ node: Int32
    ) throws {
        _ = (try reader.int32(), try reader.int8())
        let asked = try reader.array {
            (try $0.string() ?? "", try $0.array { (try $0.int32(), try $0.int64()) })
        }
        writer.write(Int32(0))
        writer.write(Int32(asked.count))
        for (topic, partitions) in asked {
            writer.write(topic)
            writer.write(Int32(partitions.count))
            for (partition, time) in partitions {
                let refusal = refusal(.listOffsets, topic, partition, node)
                let log = refusal == nil ? topics[topic]?[Int(partition)] : nil
                writer.write(partition)
                writer.write(refusal ?? WireError.none)
                writer.write(Int64(-1))
                // −2 is the beginning; a time finds nothing here.
                writer.write(time == -2 ? 0 : time == -1 ? log?.stableEnd ?? -1 : -1)
            }
        }
    }

    /// What a fetch asks for.
    struct Fetch {
        let waitMilliseconds: Int
        let partitions: [(topic: String, partition: Int32, offset: Int64, bytesMax: Int32)]

        init(_ reader: inout WireReader) throws {
            _ = try reader.int32()
            waitMilliseconds = Int(try reader.int32())
            _ = (try reader.int32(), try reader.int32(), try reader.int8())
            partitions = try reader.array { reader in
                let topic = try reader.string() ?? ""
                return try reader.array {
                    (topic, try $0.int32(), try $0.int64(), try $0.int32())
                }
            }.flatMap { $0 }
        }
    }

    /// Whether a fetch gets something at once.
    func hasAnswer(to fetch: Fetch, node: Int32) -> Bool {
        if failures.contains(where: { $0.request == .fetch && $0.times != 0 }) { return true }
        return fetch.partitions.contains { asked in
            guard let logs = topics[asked.topic], logs.indices.contains(Int(asked.partition)) else {
                return true
            }
            let log = logs[Int(asked.partition)]
            return log.leader != node || log.hasAnswer(from: asked.offset)
        }
    }

    private mutating func answerFetch(
        _ reader: inout WireReader,
        _ writer: inout WireWriter,
        _ node: Int32
    ) throws {
        let fetch = try Fetch(&reader)
        writer.write(Int32(0))
        writer.write(Int32(fetch.partitions.count))
        for (topic, partition, offset, bytesMax) in fetch.partitions {
            let refusal = refusal(.fetch, topic, partition, node)
            let found =
                refusal == nil
                ? topics[topic]?[Int(partition)].fetch(from: offset, bytesMax: Int(bytesMax)) : nil
            let log = refusal == nil ? topics[topic]?[Int(partition)] : nil
            writer.write(topic)
            writer.write(Int32(1))
            writer.write(partition)
            writer.write(
                refusal ?? (found == nil ? WireError.offsetOutOfRange : WireError.none)
            )
            writer.write(log?.end ?? -1)
            writer.write(log?.stableEnd ?? -1)
            writer.write(array: found?.aborted ?? []) { writer, aborted in
                writer.write(aborted.producerID)
                writer.write(aborted.first)
            }
            writer.write(data: found?.bytes ?? [])
        }
    }

    private mutating func answerProduce(
        _ reader: inout WireReader,
        _ writer: inout WireWriter,
        _ node: Int32
    ) throws {
        _ = (try reader.string(), try reader.int16(), try reader.int32())
        let asked = try reader.array {
            (try $0.string() ?? "", try $0.array { (try $0.int32(), try $0.data()) })
        }
        writer.write(Int32(asked.count))
        for (topic, partitions) in asked {
            writer.write(topic)
            writer.write(Int32(partitions.count))
            for (partition, bytes) in partitions {
                let refusal = refusal(.produce, topic, partition, node)
                let offset =
                    refusal == nil ? topics[topic]?[Int(partition)].append(produced: bytes) : nil
                writer.write(partition)
                writer.write(
                    refusal ?? (offset == nil ? WireError.invalidRecord : WireError.none)
                )
                writer.write(offset ?? -1)
                writer.write(Int64(-1))
                writer.write(Int64(0))
            }
        }
        writer.write(Int32(0))
    }

    private mutating func answerGroup(
        _ request: WireRequest,
        _ reader: inout WireReader,
        _ writer: inout WireWriter
    ) throws {
        if request == .describeGroups {
            // Nobody is in it, as long as the one who asks is not.
            let names = try reader.array { try $0.string() ?? "" }
            return writer.write(array: names) { writer, name in
                writer.write(WireError.none)
                for text in [name, "Empty", "consumer", ""] { writer.write(text) }
                writer.write(Int32(0))
            }
        }
        let name = try reader.string() ?? ""
        let failure = failure(of: request)
        var group = groups[name] ?? WireGroup()
        defer { groups[name] = group }
        switch request {
        case .joinGroup:
            _ = (try reader.int32(), try reader.int32())
            let caller = WireGroup.Caller(
                memberID: try reader.string() ?? "",
                instanceID: try reader.string()
            )
            _ = try reader.string()
            let protocols = try reader.array { (try $0.string() ?? "", try $0.data()) }
            let code = failure ?? group.join(caller)
            let isIn = code == WireError.none
            writer.write(Int32(0))
            writer.write(code)
            writer.write(isIn ? group.generation : -1)
            writer.write(isIn ? protocols.first?.0 ?? "" : "")
            writer.write(isIn ? group.memberID : "")
            writer.write(isIn ? group.memberID : caller.memberID)
            writer.write(array: isIn ? [protocols.first?.1 ?? []] : []) { writer, metadata in
                writer.write(group.memberID)
                writer.write(caller.instanceID)
                writer.write(data: metadata)
            }
        case .syncGroup, .heartbeat:
            let caller = WireGroup.Caller(
                generation: try reader.int32(),
                memberID: try reader.string() ?? "",
                instanceID: try reader.string()
            )
            let code = failure ?? group.check(caller)
            writer.write(Int32(0))
            writer.write(code)
            if request == .heartbeat { return }
            let assignments = try reader.array { (try $0.string() ?? "", try $0.data()) }
            let own = assignments.first { $0.0 == caller.memberID }?.1 ?? []
            writer.write(data: code == WireError.none ? own : [])
        case .leaveGroup:
            writer.write(Int32(0))
            writer.write(failure ?? WireError.none)
        case .offsetCommit:
            _ = (try reader.int32(), try reader.string(), try reader.int64())
            let asked = try reader.array {
                (
                    try $0.string() ?? "",
                    try $0.array { reader in
                        let partition = try reader.int32()
                        _ = (try reader.int64(), try reader.string())
                        return partition
                    }
                )
            }
            writer.write(array: asked) { writer, topic in
                writer.write(topic.0)
                writer.write(array: topic.1) { writer, partition in
                    writer.write(partition)
                    writer.write(failure ?? WireError.none)
                }
            }
        default:
            // Of offsets: there never are any.
            let asked = try reader.array {
                (try $0.string() ?? "", try $0.array { try $0.int32() })
            }
            writer.write(array: asked) { writer, topic in
                writer.write(topic.0)
                writer.write(array: topic.1) { writer, partition in
                    writer.write(partition)
                    writer.write(Int64(-1))
                    writer.write(nil as String?)
                    writer.write(failure ?? WireError.none)
                }
            }
        }
    }
}
