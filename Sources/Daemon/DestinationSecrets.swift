import Basics
import Configuration
import Destinations
import Telemetry

/// Connects destinations, and connects them anew when their secrets change.
struct DestinationSecrets {
    private let configurations: [DestinationConfiguration]
    private var store: SecretStore

    /// A connector of these destinations.
    init(_ configurations: [DestinationConfiguration], store: SecretStore) {
        self.configurations = configurations
        self.store = store
    }

    /// Every destination with its secrets.
    mutating func connectAll() throws(DaemonError) -> [ConnectedDestination] {
        var connected: [ConnectedDestination] = []
        for configuration in configurations { connected.append(try connect(configuration)) }
        return connected
    }

    /// Connects the destinations anew whose secrets have changed.
    ///
    /// What cannot be read or used is logged, and what was before goes on.
    ///
    /// - Parameters:
    ///   - now: Monotonic, in milliseconds; files are looked at once a minute.
    ///   - isUrgent: Whether to look at once, since a partner has refused a credential.
    ///   - logger: Told what changed and what cannot be read.
    /// - Returns: Those with another secret than before.
    mutating func look(
        now: Int64,
        isUrgent: Bool,
        logger: Logger
    ) -> [(id: String, connected: ConnectedDestination)] {
        let look = store.look(now: now, isUrgent: isUrgent)
        for problem in look.problems {
            logger.warning(
                "secret_unreadable",
                "\(problem.description); until then the secret of before is used"
            )
        }
        var changed: [(id: String, connected: ConnectedDestination)] = []
        for configuration in configurations where look.changedOwners.contains(configuration.id) {
            do throws(DaemonError) {
                changed.append((configuration.id, try connect(configuration)))
                logger.notice(
                    "secret_changed",
                    "destination \(configuration.id) uses its changed secret from now on"
                )
            } catch {
                logger.error(
                    "secret_unusable",
                    "\(error.text); until then the secret of before is used"
                )
            }
        }
        return changed
    }

    private mutating func connect(
        _ configuration: DestinationConfiguration
    ) throws(DaemonError) -> ConnectedDestination {
        try ConnectedDestination(configuration, version: Version.text, secrets: &store)
    }
}
