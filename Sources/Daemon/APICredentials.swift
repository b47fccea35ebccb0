import Configuration
import Destinations
import HTTPAPI

/// What the references of `http` lead to: the keys of its callers, its certificate and the key of that.
///
/// Read as a whole, at the start and on SIGHUP, so that a configuration goes on with what it was checked with.
struct APICredentials: Sendable, Equatable {
    /// Who may ask.
    let keys: APIKeyRing
    /// Nil for plain HTTP.
    let identity: TLSIdentity?

    /// Reads what `http` refers to; `redactor` learns the keys.
    ///
    /// - Throws: What cannot be read or used, with its key of the configuration and the remedy.
    init(_ http: DaemonConfiguration.HTTP, _ redactor: Redactor) throws(DaemonError) {
        var secrets = SecretStore(surroundings: .ofProcess, redactor: redactor)
        var keys = APIKeyRing()
        for key in http.keys {
            let secret: SecretText
            do throws(SecretError) {
                secret = try secrets.secret(key.secret, of: key.name)
            } catch {
                throw Self.error("http.keys: \"\(key.name)\": \(error.description)")
            }
            do throws(APIKeyRing.Problem) {
                try keys.add(
                    key.name,
                    key: secret.reveal(),
                    scopes: key.scopes
                )
            } catch {
                throw Self.error("http.keys: \(error.description)")
            }
        }
        self.keys = keys
        identity = try http.tls.map { tls throws(DaemonError) in try Self.identity(tls) }
    }

    private static func identity(_ tls: DaemonConfiguration.TLS) throws(DaemonError) -> TLSIdentity
    {
        // Not by way of a store: what is in these files would be blotted out of logs line by line, words such as
        // "PRIVATE" as well.
        func text(_ reference: ReferencedText, _ key: String) throws(DaemonError) -> String {
            do throws(SecretError) {
                return try reference.resolved(in: .ofProcess).reveal()
            } catch {
                throw Self.error("http.tls.\(key): \(error.description)")
            }
        }
        let certificate = try text(tls.certificate, "certificate")
        let key = try text(tls.key, "key")
        do throws(TLSIdentity.Problem) {
            return try TLSIdentity(certificate: certificate, key: key)
        } catch {
            throw Self.error("http.tls: \(error.description)")
        }
    }

    private static func error(_ text: String) -> DaemonError {
        DaemonError(status: DaemonError.Status.configuration, text)
    }
}
