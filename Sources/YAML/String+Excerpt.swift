extension String {
    /// The text as a message shows it: cut after 80 scalars.
    public var excerpt: String {
        let scalars = unicodeScalars
        guard
            let end = scalars.index(scalars.startIndex, offsetBy: 80, limitedBy: scalars.endIndex),
            end < scalars.endIndex
        else { return self }
        return String(scalars[..<end]) + "…"
    }
}
