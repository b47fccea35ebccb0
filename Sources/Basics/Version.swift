/// The version of all programs of this package.
public enum Version {
    /// As semantic versioning writes it.
    public static let text = "0.1.0"
}
