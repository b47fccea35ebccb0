/// To which courier an answer belongs, by the token that went out with the request.
///
/// Belongs to the sync thread.
final class CourierRoutes {
    private var routes: [UInt64: (courier: any Courier, local: UInt64)] = [:]
    private var next: UInt64 = 1

    /// A token for something that a courier knows by a number of its own.
    func open(_ courier: any Courier, _ local: UInt64) -> UInt64 {
        defer { next += 1 }
        routes[next] = (courier, local)
        return next
    }

    /// Gives an answer to whom it belongs.
    func answer(_ token: UInt64, _ answer: CourierAnswer, now: Int64) {
        guard let route = routes.removeValue(forKey: token) else { return }
        route.courier.answered(route.local, answer, now: now)
    }
}
