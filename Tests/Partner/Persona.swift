/// How one kind of partner behaves: what it reads in a request, what it does, what it answers.
///
/// Its texts hold `CANARY-body`, which must come up in no log.
package protocol Persona: Sendable {
    /// The list that a request touches; nil for none.
    func list(of call: PartnerCall) -> String?
    /// How many users a request carries, as the partner counts them.
    func users(of call: PartnerCall) -> Int
    /// Does what is asked.
    func handle(_ call: PartnerCall, _ lists: inout PartnerLists) -> PartnerReply
    /// "Too many requests".
    var throttled: PartnerReply { get }
    /// What a second request on one list gets while the first is being worked on; nil where they do not mind.
    var locked: PartnerReply? { get }
    /// A failure of the partner's own.
    var failed: PartnerReply { get }
}

extension Persona {
    package var throttled: PartnerReply {
        PartnerReply(429, #"{"message":"CANARY-body"}"#, headers: ["Retry-After: 1"])
    }
    package var locked: PartnerReply? { nil }
    package var failed: PartnerReply { PartnerReply(503, "CANARY-body") }
}
