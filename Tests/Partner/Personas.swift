import Foundation

/// Talon.One: audiences under ids of ours, an answer without a body, and a whole batch refused for one user.
package struct TalonPersona: Persona {
    private let authorization: String

    /// Accepts this key.
    package init(key: String) { authorization = "ApiKey-v1 " + key }

    package func list(of call: PartnerCall) -> String? {
        let change = call.objects("data").first
        let lists = (change?["adds"] as? [String] ?? []) + (change?["deletes"] as? [String] ?? [])
        return lists.first
    }

    package func users(of call: PartnerCall) -> Int { call.objects("data").count }

    package func handle(_ call: PartnerCall, _ lists: inout PartnerLists) -> PartnerReply {
        guard call.request.header("Authorization") == authorization else {
            return PartnerReply(401, #"{"Error":"CANARY-body"}"#)
        }
        guard call.request.header("destination-hostname") != nil else {
            return PartnerReply(400, #"{"Error":"No Deployment URL specified CANARY-body"}"#)
        }
        if call.method == "POST", call.path == "/cdp/audiences" {
            let list = call.text("audienceId")
            if lists.has(list) { return PartnerReply(409, #"{"Error":"CANARY-body"}"#) }
            lists.make(list)
            return PartnerReply(201, #"{"id":17,"name":"CANARY-body"}"#)
        }
        guard call.method == "PUT", call.path == "/cdp/v2/customer_profiles/audiences" else {
            return PartnerReply(405, "CANARY-body")
        }
        guard let list = list(of: call), lists.has(list) else {
            return PartnerReply(404, #"{"Error":"CANARY-body"}"#)
        }
        let data = call.objects("data")
        let users = data.map { $0["customerProfileId"] as? String ?? "" }
        if users.contains(where: lists.refused.contains) {
            return PartnerReply(400, #"{"Error":"CANARY-body"}"#)
        }
        for (change, user) in zip(data, users) {
            for list in change["adds"] as? [String] ?? [] {
                lists.apply(list, user, isEntering: true)
            }
            for list in change["deletes"] as? [String] ?? [] {
                lists.apply(list, user, isEntering: false)
            }
        }
        return PartnerReply(204)
    }
}

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

/// Meta's custom audiences: rows of a schema, DELETE with a body, counts of invalid rows with samples, errors by code.
package struct MetaPersona: Persona {
    private let authorization: String

    /// Accepts this token.
    package init(token: String) { authorization = "Bearer " + token }

    package func list(of call: PartnerCall) -> String? {
        let parts = call.path.split(separator: "/")
        return parts.last == "users" ? parts.dropLast().last.map(String.init) : nil
    }

    package func users(of call: PartnerCall) -> Int { rows(call).count }

    /// The cells of each row, which are what a user is known by.
    private func rows(_ call: PartnerCall) -> [[String]] {
        (call.json["payload"] as? [String: Any])?["data"] as? [[String]] ?? []
    }

    package func handle(_ call: PartnerCall, _ lists: inout PartnerLists) -> PartnerReply {
        guard call.request.header("Authorization") == authorization else {
            return PartnerReply(400, #"{"error":{"code":190,"message":"CANARY-body"}}"#)
        }
        if call.path.hasSuffix("/customaudiences") {
            return PartnerReply(200, #"{"id":"\#(lists.make())"}"#, isTold: false)
        }
        guard let list = list(of: call), lists.has(list) else {
            return PartnerReply(
                400,
                #"{"error":{"code":100,"error_subcode":33,"message":"CANARY-body"}}"#
            )
        }
        let rows = rows(call)
        var samples: [String] = []
        for row in rows {
            if lists.refused.contains(row.first ?? "") {
                samples.append(#""\#(row[0])":"CANARY-body""#)
            } else {
                lists.apply(list, row.joined(separator: "|"), isEntering: call.method == "POST")
            }
        }
        return PartnerReply(
            200,
            #"{"audience_id":"\#(list)","num_received":\#(rows.count),"#
                + #""num_invalid_entries":\#(samples.count),"#
                + #""invalid_entry_samples":{\#(samples.joined(separator: ","))}}"#,
            isTold: samples.isEmpty
        )
    }

    package var throttled: PartnerReply {
        PartnerReply(400, #"{"error":{"code":80003,"message":"CANARY-body"}}"#)
    }
    package var failed: PartnerReply {
        PartnerReply(
            500,
            "<html><body>CANARY-body</body></html>",
            headers: ["Content-Type: text/html"]
        )
    }
}

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
