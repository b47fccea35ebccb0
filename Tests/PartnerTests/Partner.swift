import Basics
import Configuration
import Delivery
import Destinations
import Foundation
import PartnerKit
import Sync
import Templates
import TestKit
import Testing

/// The kinds of partners that are tested: the webhook and every shipped template.
///
/// Whatever must come up in no log has `CANARY` in it.
enum Partner: String, CaseIterable, CustomTestStringConvertible {
    case webhook
    case talonOne = "talon-one"
    case brazeAttributes = "braze-attributes"
    case brazeCohorts = "braze-cohorts"
    case amplitudeCohorts = "amplitude-cohorts"
    case metaCustomAudiences = "meta-custom-audiences"

    var testDescription: String { rawValue }

    /// What signs webhooks; the key is long enough and says what it is.
    static let webhookSecret = "whsec_" + Base64.encode(Array("CANARY-secret-of-the-webhook".utf8))

    private static let secret = "CANARY-secret"

    /// The template's settings.
    var values: [String: SettingValue] {
        let texts: [String: String] =
            switch self {
            case .webhook: [:]
            case .talonOne: ["api_key": Self.secret, "deployment": "acme.europe-west1.talon.one"]
            case .brazeAttributes: ["rest_key": Self.secret, "host": "rest.iad-01.braze.com"]
            case .brazeCohorts:
                [
                    "partner_name": "acme", "partner_api_key": Self.secret,
                    "client_secret": Self.secret + "-2", "host": "rest.iad-01.braze.com",
                ]
            case .amplitudeCohorts:
                [
                    "api_key": Self.secret, "secret_key": Self.secret + "-2", "app_id": "153957",
                    "owner": "data@acme.example",
                ]
            case .metaCustomAudiences:
                ["access_token": Self.secret, "app_secret": Self.secret + "-2", "ad_account": "17"]
            }
        return texts.mapValues { SettingValue($0) }
    }

    /// How the partner behaves.
    func persona() throws -> any Persona {
        switch self {
        case .webhook:
            let secret = try WebhookSecret(SecretText(Self.webhookSecret))
            return WebhookPersona { request in
                secret.verify(
                    id: request.header("webhook-id") ?? "",
                    timestamp: request.header("webhook-timestamp") ?? "",
                    body: request.body,
                    signature: request.header("webhook-signature") ?? ""
                )
            }
        case .talonOne: return TalonPersona(key: Self.secret)
        case .brazeAttributes: return BrazeTrackPersona(key: Self.secret)
        case .brazeCohorts:
            return BrazeCohortPersona(partnerKey: Self.secret, clientSecret: Self.secret + "-2")
        case .amplitudeCohorts:
            return AmplitudePersona(key: Self.secret, secret: Self.secret + "-2")
        case .metaCustomAudiences: return MetaPersona(token: Self.secret)
        }
    }

    /// The template as it is shipped; nil for the webhook.
    func template() throws -> Template? {
        guard self != .webhook else { return nil }
        let path = "config/destinations/templates/\(rawValue).yaml"
        let file = Golden.folder.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: path)
        let bytes = Array(try Data(contentsOf: file))
        let reading = Template.read([ConfigurationFile(name: path, bytes: bytes)])
        #expect(reading.problems.map(\.description) == [])
        let template: Template = try #require(reading.value.first)
        return template
    }

    /// What the partner calls the list of a cohort; `given` is the id that it gave itself.
    func list(cohort: String, given: String?) -> String {
        switch self {
        case .webhook, .talonOne, .brazeCohorts: cohort
        case .brazeAttributes: "cohort_\(cohort)"
        case .amplitudeCohorts, .metaCustomAudiences: given ?? ""
        }
    }

    /// Foundation's decomposition.
    static let decompose: CompatibilityDecomposition = { text, bytes in
        bytes.append(contentsOf: text.decomposedStringWithCompatibilityMapping.utf8)
    }
}
