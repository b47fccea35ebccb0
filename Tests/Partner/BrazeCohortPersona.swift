/// Braze's API for partners: secrets in the body, and 423 while a cohort is locked.
package struct BrazeCohortPersona: Persona {
    private let partnerKey: String
    private let clientSecret: String

    /// Accepts these.
    package init(partnerKey: String, clientSecret: String) {
        self.partnerKey = partnerKey
        self.clientSecret = clientSecret
    }

    package func list(of call: PartnerCall) -> String? {
        call.path.hasSuffix("/users") ? call.text("cohort_id") : nil
    }

    package func users(of call: PartnerCall) -> Int {
        call.objects("cohort_changes").reduce(0) {
            $0 + (($1["user_ids"] as? [String])?.count ?? 0)
        }
    }

    package func handle(_ call: PartnerCall, _ lists: inout PartnerLists) -> PartnerReply {
        guard call.text("partner_api_key") == partnerKey, call.text("client_secret") == clientSecret
        else { return PartnerReply(401, #"{"message":"CANARY-body"}"#) }
        let list = call.text("cohort_id")
        guard call.path.hasSuffix("/users") else {
            lists.make(list)
            return PartnerReply(201, #"{"message":"success"}"#)
        }
        let changes = call.objects("cohort_changes")
        let users = changes.map { $0["user_ids"] as? [String] ?? [] }
        guard lists.has(list), !users.joined().contains(where: lists.refused.contains) else {
            return PartnerReply(400, #"{"message":"CANARY-body"}"#)
        }
        for (change, users) in zip(changes, users) {
            let isEntering = change["should_remove"] as? Bool != true
            for user in users { lists.apply(list, user, isEntering: isEntering) }
        }
        return PartnerReply(201, #"{"message":"success"}"#)
    }

    package var locked: PartnerReply? { PartnerReply(423, "CANARY-body") }
    package var throttled: PartnerReply {
        PartnerReply(429, "CANARY-body", headers: ["X-Ratelimit-Retry-After: 1"])
    }
}
