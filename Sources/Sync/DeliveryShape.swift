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
    /// Whether users are put on a list that the destination may lose, and that can be made again.
    package var hasList = false
    /// Whether everyone is sent again now and then, because the destination may drop users in silence.
    package var isReasserted = true
    /// The most users a minute that the destination takes; nil for no bound.
    package var usersPerMinuteMax: Int?

    /// The shape of a webhook; the fields say what differs.
    package init() {}
}
