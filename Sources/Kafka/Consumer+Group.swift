internal import CRdKafka

extension Consumer {
    /// The members of the group at this moment.
    ///
    /// A static one is still among them for `session.timeout.ms` after it ended. Blocks up to the time given.
    ///
    /// - Returns: nil where the broker cannot describe groups, as the in-process one.
    /// - Throws: `KafkaError`: of kind `authorization` without the right, retriable without an answer.
    package func groupMembers(timeoutMilliseconds: Int) throws(KafkaError) -> [GroupMember]? {
        let group = conversation.settings.groupID
        let context = "the members of group \(group) are unknown"
        return try handle.use { client throws(KafkaError) in
            if Admin.isInProcess(client, timeoutMilliseconds) { return nil }
            return try AdminRequest(
                client,
                RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
                limits: [rd_kafka_AdminOptions_set_request_timeout],
                timeoutMilliseconds: timeoutMilliseconds,
                context
            ).answer { options, queue in
                group.withCString { name in
                    var names: [UnsafePointer<CChar>?] = [name]
                    rd_kafka_DescribeConsumerGroups(client, &names, names.count, options, queue)
                }
            } read: { event throws(KafkaError) in
                try Self.members(of: event, context)
            }
        }
    }

    private static func members(
        of event: OpaquePointer,
        _ context: String
    ) throws(KafkaError) -> [GroupMember] {
        let code = rd_kafka_event_error(event)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            let detail = rd_kafka_event_error_string(event).map { String(cString: $0) }
            throw KafkaError(code, context, detail: detail)
        }
        var count = 0
        let result = rd_kafka_event_DescribeConsumerGroups_result(event)
        guard let groups = rd_kafka_DescribeConsumerGroups_result_groups(result, &count),
            count == 1, let group = groups[0]
        else {
            throw KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG, context, detail: "the answer is empty")
        }
        if let error = rd_kafka_ConsumerGroupDescription_error(group) {
            let code = rd_kafka_error_code(error)
            // A group that nobody ever joined has no members either.
            if code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND { return [] }
            let detail = rd_kafka_error_string(error).map { String(cString: $0) }
            throw KafkaError(code, context, detail: detail)
        }
        return (0..<rd_kafka_ConsumerGroupDescription_member_count(group)).compactMap { index in
            guard let member = rd_kafka_ConsumerGroupDescription_member(group, index) else {
                return nil
            }
            func text(_ value: UnsafePointer<CChar>?) -> String? {
                value.map { String(cString: $0) }
            }
            let host = text(rd_kafka_MemberDescription_host(member)) ?? ""
            return GroupMember(
                clientID: text(rd_kafka_MemberDescription_client_id(member)) ?? "",
                // Java's way to write an address: with the name before the slash, of which there is none.
                host: String(host.trimmingPrefix("/")),
                instanceID: text(rd_kafka_MemberDescription_group_instance_id(member))
            )
        }
    }
}
