/// A receiver of webhooks that looks at each signature.
package struct WebhookPersona: Persona {
    private let verify: @Sendable (ReceivedRequest) -> Bool

    /// - Parameter verify: Whether the signature of a request is right.
    package init(verify: @escaping @Sendable (ReceivedRequest) -> Bool) { self.verify = verify }

    package func list(of call: PartnerCall) -> String? { call.text("cohort_id") }

    package func users(of call: PartnerCall) -> Int { call.objects("users").count }

    package func handle(_ call: PartnerCall, _ lists: inout PartnerLists) -> PartnerReply {
        guard verify(call.request) else { return PartnerReply(401, "CANARY-body") }
        lists.note(message: call.text("message_id"), call.request.body)
        if call.request.header("webhook-id") != call.text("message_id") {
            lists.problems.append("webhook-id is not the message's")
        }
        for user in call.objects("users") {
            lists.apply(
                call.text("cohort_id"),
                user["user_id"] as? String ?? "",
                isEntering: call.json["in_cohort"] as? Bool ?? false
            )
        }
        return PartnerReply(200, "CANARY-body")
    }
}
