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
