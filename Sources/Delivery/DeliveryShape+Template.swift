package import Sync
package import Templates

extension DeliveryShape {
    /// How a destination of a template takes users.
    ///
    /// A batch is what leaves at once: as many requests as may be under way for one list, and never more than the
    /// shortest limit lets through.
    package init(_ template: Template) {
        self.init()
        let perUser = template.batch.count == .ids ? max(1, template.identity.names.count) : 1
        let perRequest = max(1, template.batch.itemsMax / perUser)
        usersMax = min(DestinationWorker.usersMax, perRequest * template.concurrency.perListMax)
        for limit in template.limits where limit.scope != .user {
            let users = limit.unit == .items ? limit.count / perUser : limit.count * perRequest
            usersMax = max(1, min(usersMax, users))
            let perMinute = max(1, users * 60_000 / max(1, Int(limit.perMilliseconds)))
            usersPerMinuteMax = min(usersPerMinuteMax ?? .max, perMinute)
        }
        isMixed = true
        isRepeatedUnchanged = false
        hasList = template.needsList
    }
}
