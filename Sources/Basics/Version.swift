/// The version of all programs of this package.
package enum Version {
    /// As semantic versioning writes it.
    package static let text = "0.1.0"
}
