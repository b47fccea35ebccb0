internal import CRdKafka

extension Consumer {
    /// A setting of the consumer's topic, such as `cleanup.policy`; blocks up to the time given.
    ///
    /// - Returns: nil where the broker does not tell settings, as the in-process one, or knows none of that name.
    /// - Throws: `KafkaError`: of kind `authorization` without the right, retriable without an answer.
    package func topicSetting(
        _ name: String,
        timeoutMilliseconds: Int
    ) throws(KafkaError) -> String? {
        let topic = topic
        let context = "the setting \(name) of topic \(topic) is unknown"
        return try handle.use { client throws(KafkaError) in
            if Admin.isInProcess(client, timeoutMilliseconds) { return nil }
            guard let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic) else {
                throw KafkaError(configuration: context)
            }
            defer { rd_kafka_ConfigResource_destroy(resource) }
            var resources: [OpaquePointer?] = [resource]
            return try AdminRequest(
                client,
                RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
                limits: [rd_kafka_AdminOptions_set_request_timeout],
                timeoutMilliseconds: timeoutMilliseconds,
                context
            ).answer {
                rd_kafka_DescribeConfigs(client, &resources, resources.count, $0, $1)
            } read: { event throws(KafkaError) in
                try Self.setting(name, of: event, context)
            }
        }
    }

    private static func setting(
        _ name: String,
        of event: OpaquePointer,
        _ context: String
    ) throws(KafkaError) -> String? {
        var code = rd_kafka_event_error(event)
        var detail = rd_kafka_event_error_string(event).map { String(cString: $0) }
        var count = 0
        let result = rd_kafka_event_DescribeConfigs_result(event)
        let resources = rd_kafka_DescribeConfigs_result_resources(result, &count)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, count == 1, let resource = resources?[0] else {
            throw KafkaError(code, context, detail: detail)
        }
        code = rd_kafka_ConfigResource_error(resource)
        detail = rd_kafka_ConfigResource_error_string(resource).map { String(cString: $0) }
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw KafkaError(code, context, detail: detail)
        }
        let entries = rd_kafka_ConfigResource_configs(resource, &count)
        for index in 0..<count {
            guard let entry = entries?[index], let found = rd_kafka_ConfigEntry_name(entry),
                String(cString: found) == name
            else { continue }
            return rd_kafka_ConfigEntry_value(entry).map { String(cString: $0) }
        }
        return nil
    }
}
