package import Basics

/// An element of `http.keys`: somebody who may call the API.
package struct HTTPKey: Hashable, Sendable {
    /// What logs call them; an id.
    package var name: String
    /// Where the key itself is kept.
    package var secret: ReferencedText
    /// What they may do; not empty.
    package var scopes: Set<APIScope>
}
