/// Braze's `/users/track`: a boolean per cohort on each profile, and 201 with the errors by index.
package struct BrazeTrackPersona: Persona {
    private let authorization: String

    /// Accepts this key.
    package init(key: String) { authorization = "Bearer " + key }

    package func list(of call: PartnerCall) -> String? {
        call.objects("attributes").first?.keys.first { $0.hasPrefix("cohort_") }
    }

    package func users(of call: PartnerCall) -> Int { call.objects("attributes").count }

    package func handle(_ call: PartnerCall, _ lists: inout PartnerLists) -> PartnerReply {
        guard call.request.header("Authorization") == authorization else {
            return PartnerReply(401, #"{"message":"CANARY-body"}"#)
        }
        guard call.path == "/users/track", let list = list(of: call) else {
            return PartnerReply(400, #"{"message":"CANARY-body"}"#)
        }
        var errors: [String] = []
        for (index, attributes) in call.objects("attributes").enumerated() {
            let user = attributes["external_id"] as? String ?? ""
            if lists.refused.contains(user) {
                errors.append(#"{"type":"BLACKLISTED_EXTERNAL_USER_ID","index":\#(index)}"#)
            } else if lists.isMoody, (user.utf8.last ?? 0) &+ UInt8(lists.changes.count & 7) == 0x34
            {
                errors.append(#"{"type":"CANARY-body internal error","index":\#(index)}"#)
            } else {
                lists.apply(list, user, isEntering: attributes[list] as? Bool ?? false)
            }
        }
        if errors.isEmpty { return PartnerReply(201, #"{"message":"success"}"#) }
        return PartnerReply(
            201,
            #"{"message":"success","errors":[\#(errors.joined(separator: ","))]}"#,
            isTold: false
        )
    }

    package var throttled: PartnerReply {
        PartnerReply(429, "CANARY-body", headers: ["X-Ratelimit-Retry-After: 1"])
    }
}
