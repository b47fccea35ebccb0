/// A request ready to be sent.
///
/// URL, headers and body may hold secrets and identifiers: it describes itself by its name and size only.
package struct TemplateRequest: Sendable {
    /// What the request is for, as the template calls it: `members.change`.
    package var name: String
    /// `POST`, `PUT` and the like.
    package var method: String
    /// The whole URL; not for logs.
    package var url: String
    /// Names and values in the order to be sent.
    package var headers: [(name: String, value: String)]
    /// Empty for none.
    package var body: [UInt8]
    /// How long the whole exchange may take, in milliseconds.
    package var timeoutMilliseconds: Int64
    /// Whether an access token goes with it.
    package var needsToken = false
    /// The changes it carries, by their place in the list that was planned.
    package var changes: [Int] = []
}

extension TemplateRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    package var description: String {
        "\(name) (\(method), \(changes.count) changes, \(body.count) bytes)"
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
