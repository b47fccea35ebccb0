import Foundation

/// Amplitude's cohorts: made by an upload of the first users, users it does not know by id, and 429 where one
/// cohort is touched twice at once.
package struct AmplitudePersona: Persona {
    private let authorization: String

    /// Accepts these.
    package init(key: String, secret: String) {
        authorization = "Basic " + Data("\(key):\(secret)".utf8).base64EncodedString()
    }

    package func list(of call: PartnerCall) -> String? {
        call.path.hasSuffix("/membership") ? call.text("cohort_id") : nil
    }

    package func users(of call: PartnerCall) -> Int {
        let uploaded = (call.json["ids"] as? [String])?.count ?? 0
        return call.objects("memberships").reduce(uploaded) {
            $0 + (($1["ids"] as? [String])?.count ?? 0)
        }
    }

    package func handle(_ call: PartnerCall, _ lists: inout PartnerLists) -> PartnerReply {
        guard call.request.header("Authorization") == authorization else {
            return PartnerReply(401, #"{"error":"CANARY-body"}"#)
        }
        if call.path.hasSuffix("/upload") {
            let users = call.json["ids"] as? [String] ?? []
            let known = users.filter { !lists.refused.contains($0) }
            guard !known.isEmpty else { return PartnerReply(400, #"{"error":"CANARY-body"}"#) }
            let list = lists.make()
            for user in known { lists.apply(list, user, isEntering: true) }
            return PartnerReply(
                200,
                #"{"cohortId":"\#(list)","name":"CANARY-body"}"#,
                isTold: false
            )
        }
        let list = call.text("cohort_id")
        guard lists.has(list) else { return PartnerReply(404, #"{"error":"CANARY-body"}"#) }
        var results: [String] = []
        var isWhole = true
        for membership in call.objects("memberships") {
            let users = membership["ids"] as? [String] ?? []
            let skipped = users.filter(lists.refused.contains)
            isWhole = isWhole && skipped.isEmpty
            for user in users where !lists.refused.contains(user) {
                let isEntering = membership["operation"] as? String == "ADD"
                lists.apply(list, user, isEntering: isEntering)
            }
            let texts = skipped.map { "\"\($0)\"" }.joined(separator: ",")
            results.append(#"{"skipped_ids":[\#(texts)]}"#)
        }
        return PartnerReply(
            200,
            #"{"cohort_id":"\#(list)","memberships_result":[\#(results.joined(separator: ","))]}"#,
            isTold: isWhole
        )
    }

    package var locked: PartnerReply? { PartnerReply(429, #"{"error":"CANARY-body"}"#) }
}
