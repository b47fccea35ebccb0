/// A member of a consumer group, as the broker describes it.
package struct GroupMember: Sendable, Hashable {
    /// The property `client.id` of the member.
    package var clientID: String
    /// The address that it connects from.
    package var host: String
    /// The property `group.instance.id`; nil for a member that has none.
    package var instanceID: String?

    /// A member from its parts.
    package init(clientID: String, host: String, instanceID: String?) {
        self.clientID = clientID
        self.host = host
        self.instanceID = instanceID
    }
}
