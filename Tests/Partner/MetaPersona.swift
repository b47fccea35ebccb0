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
