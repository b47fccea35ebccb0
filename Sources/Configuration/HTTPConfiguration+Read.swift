import Basics
import YAML

extension DaemonConfiguration.HTTP {
    /// Reads the section `http`.
    mutating func read(_ section: consuming Section) {
        section.read("listen", into: &listen, .listenAddress)
        let listenMark = section.node("listen")?.mark ?? section.mark
        section.read("connections_max", into: &connectionsMax, .integer(1...65_536))
        section.read("per_address_max", into: &perAddressMax, .integer(1...65_536))
        section.read("body_max", into: &bodyMax, .size(1024...1 << 30))
        section.read("requests_per_second", into: &requestsPerSecond, .integer(1...1_000_000))
        let isAnonymous = !readKeys(&section)
        readTLS(section.section("tls"))
        if isAnonymous, !listen.host.isLoopback {
            section.report(
                .refused,
                at: listenMark,
                "http.listen: \(listen) is beyond loopback, where nobody may ask without a key: "
                    + "give http.keys, or listen on 127.0.0.1:\(listen.port)"
            )
        }
        section.finish()
    }

    /// Reads `keys`.
    ///
    /// - Returns: Whether any are given, right or wrong.
    private mutating func readKeys(_ section: inout Section) -> Bool {
        let elements = section.sections("keys")
        var owners: [String: Int] = [:]
        for var element in elements {
            let mark = element.mark
            let name = element.required("name", .identifier)
            let secret = element.required("secret", .secret)
            let scopes = element.requiredList("scopes", ValueReader<APIScope>.word)
            if let name {
                if let line = owners[name] {
                    let place = line > 0 ? " in line \(line)" : ""
                    element.report(
                        .duplicateID,
                        at: mark,
                        "\(element.path(of: "name")): a key \"\(name)\" is given already\(place)"
                    )
                }
                owners[name] = owners[name] ?? mark.line
            }
            if let name, let secret, !scopes.isEmpty {
                keys.append(HTTPKey(name: name, secret: secret, scopes: Set(scopes)))
            }
            element.finish()
        }
        return !elements.isEmpty
    }

    private mutating func readTLS(_ section: consuming Section) {
        let mark = section.mark
        let problems = section.problemCount
        let certificate = section.optional("certificate", .pemFile) ?? nil
        let key = section.optional("key", .pemFile) ?? nil
        if let certificate, let key {
            tls = DaemonConfiguration.TLS(certificate: certificate, key: key)
        } else if section.problemCount == problems, certificate != nil || key != nil {
            let missing = section.path(of: certificate == nil ? "certificate" : "key")
            section.report(
                .conflict,
                at: mark,
                "\(missing) is missing: TLS takes a certificate and its key"
            )
        }
        section.finish()
    }
}

extension ValueReader where Value == ReferencedText? {
    /// A file by its absolute path or by reference; nil for an empty text.
    fileprivate static var pemFile: ValueReader<ReferencedText?> {
        ValueReader<String>.anyText.map { text throws(Refusal) in
            if text.isEmpty { return nil }
            if text.hasPrefix("/") { return .file(text) }
            guard let value = ReferencedText(text), value.isReference else {
                throw Refusal(
                    .badValue,
                    "\"\(text)\" is no absolute path (expected /PATH, credential:NAME, file:/PATH or env:NAME)"
                )
            }
            return value
        }
    }
}

extension ValueReader where Value == ListenAddress {
    /// An address of this machine.
    fileprivate static var listenAddress: ValueReader<ListenAddress> {
        ValueReader<String>.text("an address such as 127.0.0.1:8080").map { text throws(Refusal) in
            guard let address = ListenAddress(text) else {
                throw Refusal(
                    .badValue,
                    "\"\(text)\" is no address and port (expected such as 127.0.0.1:8080 or [::1]:8080)"
                )
            }
            return address
        }
    }
}
