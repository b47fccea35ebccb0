/// How a destination takes users, as far as planning depends on it.
package struct DeliveryShape: Sendable, Equatable {
    /// The most users of one batch.
    package var usersMax = 1000
    /// Whether one batch may carry users who leave and users who enter.
    package var isMixed = false
    /// Whether a batch of unknown outcome is sent again as it was, under the same message id.
    ///
    /// Otherwise what became of each user decides, and who is left is planned anew.
    package var isRepeatedUnchanged = true
    /// Whether every record carries its partition and a number.
    package var isNumbered = false
    /// Whether a run is one set of files, made of everything at once.
    package var isWholeRun = false

    /// The shape of a webhook.
    package init() {}

    /// A shape from its parts.
    package init(
        usersMax: Int = 1000,
        isMixed: Bool = false,
        isRepeatedUnchanged: Bool = true,
        isNumbered: Bool = false,
        isWholeRun: Bool = false
    ) {
        self.usersMax = usersMax
        self.isMixed = isMixed
        self.isRepeatedUnchanged = isRepeatedUnchanged
        self.isNumbered = isNumbered
        self.isWholeRun = isWholeRun
    }
}
