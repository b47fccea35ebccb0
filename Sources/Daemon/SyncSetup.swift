import Basics
import Cohorts
import Configuration
import Delivery
import Destinations
import Sync
import Templates

/// What the planner needs of the configured syncs.
struct SyncSetup {
    /// The syncs, in the configuration's order.
    private(set) var settings: [SyncSettings] = []
    /// By cohort: the user properties whose values the engine hands out, in the order of ``PropertyCells``.
    let properties: [String: [String]]

    /// Puts together what the configuration says.
    ///
    /// - Throws: What is wrong with a template on this machine.
    init(_ loaded: LoadedConfiguration) throws(DaemonError) {
        properties = Self.properties(of: loaded)
        for sync in loaded.syncs {
            guard
                let destination = loaded.destinations.first(where: { $0.id == sync.destination })
            else {
                preconditionFailure("sync \(sync.id): its destination was checked with the rest")
            }
            settings.append(
                try Self.settings(
                    sync,
                    to: destination,
                    loaded,
                    cells: properties[sync.cohort] ?? []
                )
            )
        }
    }

    /// The user properties that syncs name users by or send along, by cohort.
    static func properties(of loaded: LoadedConfiguration) -> [String: [String]] {
        var properties: [String: [String]] = [:]
        for sync in loaded.syncs {
            var names = sync.identity.filter { $0 != userID } + sync.properties
            if let template = loaded.template(of: sync.destination) {
                names += template.identity.propertyNames
            }
            for name in names where properties[sync.cohort]?.contains(name) != true {
                properties[sync.cohort, default: []].append(name)
            }
        }
        return properties
    }

    private static let userID = "user_id"

    private static func settings(
        _ sync: SyncConfiguration,
        to destination: DestinationConfiguration,
        _ loaded: LoadedConfiguration,
        cells: [String]
    ) throws(DaemonError) -> SyncSettings {
        let template = loaded.template(of: destination.id)
        func cell(_ name: String) -> Int {
            guard let index = cells.firstIndex(of: name) else {
                preconditionFailure("property \(name) is not among those of cohort \(sync.cohort)")
            }
            return index
        }
        let choices = sync.identity.map { name -> UserNaming.Choice in
            name == userID ? .userID : .cell(cell(name))
        }
        let naming: UserNaming
        if let template {
            naming = UserNaming(
                choices: choices,
                mapper: try mapper(template, of: destination),
                cell: cell
            )
        } else {
            naming = UserNaming(
                choices: choices,
                properties: sync.properties.map { UserNaming.Property(name: $0, cell: cell($0)) }
            )
        }
        var settings = Self.settings(sync.id, to: destination, template, naming)
        settings.cohortID = sync.cohort
        settings.cohortName = loaded.cohorts.first { $0.id == sync.cohort }?.name ?? sync.cohort
        settings.cadence = SyncCadence(sync, timezone: loaded.daemon.timezone)
        settings.isPaused = sync.isPaused
        settings.massExits = MassExitGuard(
            share: sync.blastGuard.share,
            users: sync.blastGuard.users
        )
        settings.reassertMilliseconds = sync.reassertMilliseconds
        settings.success = sync.success
        settings.removesUsers = sync.onDelete == .removeAll
        return settings
    }

    /// The settings of a sync that is not configured any more, to take out its users.
    ///
    /// - Throws: What is wrong with a template on this machine.
    func settings(
        of leaving: LeavingSync,
        _ loaded: LoadedConfiguration
    ) throws(DaemonError) -> Leaving {
        let id = leaving.destinationKey.prefix { $0 != "/" }
        guard let destination = loaded.destinations.first(where: { $0.id == id }) else {
            return .stays(because: "its destination \(id) is not configured any more")
        }
        let template = loaded.template(of: destination.id)
        let cohort = leaving.terms.cohortID
        // One speaks of the same list there as the other.
        if template?.hasListPerSync != true,
            let heir = settings.first(where: { $0.destinationID == id && $0.cohortID == cohort })
        {
            return .stays(because: "\(heir.id) sends the same cohort there")
        }
        // Nobody is named any more, so it does not matter by what.
        let naming =
            if let template {
                UserNaming(
                    choices: [.userID],
                    mapper: try Self.mapper(template, of: destination),
                    cell: { _ in 0 }
                )
            } else {
                UserNaming()
            }
        var settings = Self.settings(leaving.sync, to: destination, template, naming)
        if settings.destinationKey != leaving.destinationKey {
            return .stays(because: "its destination \(id) is another one now")
        }
        if settings.shape.isWholeRun {
            return .stays(because: "its destination \(id) takes whole lists")
        }
        settings.cohortID = leaving.terms.cohortID
        settings.cohortName = leaving.terms.cohortName
        settings.massExits = leaving.terms.massExits
        settings.reassertMilliseconds = 0
        settings.removesUsers = true
        settings.isLeaving = true
        return .leaves(settings)
    }

    /// What becomes of the users of a sync that is not configured any more.
    enum Leaving {
        /// They are taken out.
        case leaves(SyncSettings)
        /// They stay where they are.
        case stays(because: String)
    }

    /// What the destination says of a sync.
    private static func settings(
        _ id: String,
        to destination: DestinationConfiguration,
        _ template: Template?,
        _ naming: UserNaming
    ) -> SyncSettings {
        var settings = SyncSettings(
            id: id,
            cohortID: "",
            cohortName: "",
            destinationID: destination.id,
            shape: shape(of: destination, template),
            naming: naming
        )
        if let template {
            settings.requestTimeoutMilliseconds = template.timeoutMilliseconds
            settings.degradedMilliseconds = template.retry.windowMilliseconds
        } else if case .webhook(let webhook) = destination.template {
            settings.requestTimeoutMilliseconds = webhook.timeoutMilliseconds
        }
        return settings
    }

    private static func mapper(
        _ template: Template,
        of destination: DestinationConfiguration
    ) throws(DaemonError) -> IdentityMapper {
        do throws(TemplateBindingError) {
            return try IdentityMapper(template.identity, decompose: CompatibilityForm.decompose)
        } catch {
            throw DaemonError(
                status: DaemonError.Status.configuration,
                "destination \(destination.id): \(error.description)"
            )
        }
    }

    private static func shape(
        of destination: DestinationConfiguration,
        _ template: Template?
    ) -> DeliveryShape {
        if let template { return DeliveryShape(template) }
        var shape = DeliveryShape()
        switch destination.template {
        case .webhook, .partner: break
        case .file: shape.isReasserted = false
        case .kafkaTopic: shape = TopicRecords.changes.shape
        case .kafkaTable: shape = TopicRecords.table.shape
        case .fileCSV, .objectStoreCSV:
            shape.isReasserted = false
            shape.isWholeRun = true
        }
        return shape
    }
}

extension LoadedConfiguration {
    /// The template of a partner's destination; nil for the built-in ones.
    func template(of destination: String) -> Template? {
        guard let configured = destinations.first(where: { $0.id == destination }),
            case .partner(let partner) = configured.template
        else { return nil }
        return templates.first { $0.name == partner.template }
    }
}
