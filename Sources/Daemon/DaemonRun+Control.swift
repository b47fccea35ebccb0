import Basics
import Cohorts
import Configuration
import HTTPAPI
import Kafka
import Telemetry
import Threads
import YAML

// Definitions made through the API: each change is another configuration, checked and begun as one that was read again.

extension DaemonRun {
    /// Learns what the control topic has, and goes on with that where it is something else than what runs.
    func followControl(_ consumer: Consumer) throws(DaemonError) {
        try definitions.readIfNeeded(consumer, properties: kafkaProperties)
        guard definitions.isRead, next == nil, definitions.objects != followed else { return }
        followed = definitions.objects
        if isPrevious {
            // What could not be used is not to come back with the next start.
            try write(loaded.objects)
            return
        }
        var candidate = loaded.with(definitions.objects)
        do throws(Refusal) {
            let changes = try check(&candidate, consumer)
            tellReloading()
            goOn(with: candidate, changes, "what the API made before is used")
        } catch {
            for line in error.lines { logger.error("reload_refused", line) }
        }
    }

    /// Does what a caller asks of the definitions.
    func change(
        _ request: DefinitionRequest,
        _ consumer: Consumer
    ) throws(DaemonError) -> Result<String, APIQueryError> {
        guard next == nil else {
            return .failure(.notReady(reason: "another change is being applied; try again"))
        }
        if request == .reload {
            guard let reload else {
                return .failure(.notReady(reason: "this daemon has no files to read again"))
            }
            do throws(Refusal) {
                return .success(try change(to: reload.read(), consumer).text)
            } catch {
                return .failure(.invalid(error.lines.joined(separator: "\n")))
            }
        }
        guard definitions.isRead else {
            return .failure(.notReady(reason: "Kafka did not say yet what was made before"))
        }
        var objects = definitions.objects
        do throws(APIQueryError) {
            try edit(&objects, request)
        } catch {
            return .failure(error)
        }
        if case .accept(let id) = request {
            if let refusal = try write(objects) { return .failure(refusal) }
            return .success("the next definition of \(id) may begin without history that is gone")
        }
        var candidate = loaded.with(objects)
        let changes: ConfigurationChanges
        do throws(Refusal) {
            changes = try check(&candidate, consumer)
        } catch {
            return .failure(.invalid(error.lines.joined(separator: "\n")))
        }
        if let refusal = try write(objects) { return .failure(refusal) }
        tellReloading()
        goOn(with: candidate, changes, "the API changed the configuration")
        return .success(changes.text)
    }

    /// Changes the objects as asked, without looking at what else there is.
    private func edit(
        _ objects: inout ControlObjects,
        _ request: DefinitionRequest
    ) throws(APIQueryError) {
        switch request {
        case .apply(let id, let body, let fromNow):
            if loaded.hasFile(ofCohort: id) { throw .ownedByFile }
            objects.define(id, try definition(of: id, body))
            if fromNow { objects.accept(id) }
        case .delete(let id):
            if loaded.hasFile(ofCohort: id) { throw .ownedByFile }
            guard objects.cohorts[id] != nil else { throw .unknownCohort }
            if let sync = loaded.syncs.first(where: { $0.cohort == id }) {
                throw .refused(
                    reason: "sync \(sync.id) sends \(id): remove its file and reload,"
                        + " then delete the cohort"
                )
            }
            objects.delete(id)
        case .accept(let id): objects.accept(id)
        case .reload: break
        }
    }

    /// The one definition of a body, as JSON.
    private func definition(of id: String, _ body: [UInt8]) throws(APIQueryError) -> [UInt8] {
        let (documents, problems) = DocumentReader.read(body)
        if let problem = problems.first {
            throw .badRequest(
                "the body is no YAML or JSON: line \(problem.mark.line), column"
                    + " \(problem.mark.column): \(problem.text)"
            )
        }
        guard let document = documents.first, documents.count == 1 else {
            throw .badRequest(
                "the body has \(documents.count) documents; one definition is expected"
            )
        }
        guard case .mapping(let pairs) = document.value,
            case .text(let own)? = pairs.first(where: { $0.key == "id" })?.value.value, own == id
        else {
            throw .badRequest("the definition's id is not \"\(id)\", as the path says")
        }
        return document.json
    }

    /// - Returns: Why it is not durable; nil where it is.
    @discardableResult
    private func write(_ objects: ControlObjects) throws(DaemonError) -> APIQueryError? {
        heartbeat.beat(.long)
        defer { heartbeat.beat() }
        if let error = try definitions.write(objects, properties: kafkaProperties) {
            return .notReady(
                reason: "Kafka did not take it: \(error.description). Try again; it may have been"
                    + " done"
            )
        }
        followed = objects
        return nil
    }

    /// What was accepted for a cohort is good for one change of it.
    func forgetAccepted() throws(DaemonError) {
        if loaded.objects.accepted.isEmpty { return }
        let used = loaded.objects.accepted.intersection(loaded.cohorts.map(\.id))
        var objects = definitions.objects
        objects.forget(accepted: used)
        if definitions.isRead, objects != definitions.objects { try write(objects) }
    }
}
