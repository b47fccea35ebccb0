import Basics
package import Configuration
import Glibc

/// Where a secret is kept: configuration names the place, never the value.
///
/// Source: docs/destinations/webhook.md, "The secret".
package enum SecretReference: Sendable, Equatable {
    /// `credential:NAME`, a file of that name in the directory systemd hands over.
    case credential(String)
    /// `file:/path`, a file by its absolute path.
    case file(String)
    /// `env:NAME`, a variable of the environment.
    case environment(String)

    /// Reads a reference; nil when `text` is an ordinary value that begins with none of the three
    /// words.
    /// - Throws: `SecretError.malformed` when it begins like one but names nothing usable.
    package init?(parsing text: String) throws(SecretError) {
        if let name = Self.rest(of: text, after: "credential:") {
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), name != ".", name != ".."
            else {
                throw .malformed(
                    reference: text,
                    remedy: "write credential:NAME, NAME as in LoadCredential=NAME:…"
                )
            }
            self = .credential(name)
        } else if let path = Self.rest(of: text, after: "file:") {
            guard path.utf8.first == UInt8(ascii: "/") else {
                throw .malformed(reference: text, remedy: "write file: and an absolute path")
            }
            self = .file(path)
        } else if let name = Self.rest(of: text, after: "env:") {
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")) else {
                throw .malformed(reference: text, remedy: "write env: and the name of a variable")
            }
            self = .environment(name)
        } else {
            return nil
        }
    }

    /// The reference as configuration writes it.
    package var text: String {
        switch self {
        case .credential(let name): "credential:\(name)"
        case .file(let path): "file:\(path)"
        case .environment(let name): "env:\(name)"
        }
    }

    /// Fetches the secret; one newline at its end is cut.
    /// - Throws: `SecretError` naming the reference, the reason and the remedy, never the value.
    package func resolve(in surroundings: SecretSurroundings) throws(SecretError) -> SecretText {
        switch self {
        case .credential(let name):
            guard let directory = surroundings.credentialsDirectory else {
                throw .unavailable(
                    reference: text,
                    reason: "there is no credentials directory",
                    remedy: "start under systemd with LoadCredential=\(name):PATH, or use file:"
                )
            }
            return try read("\(directory)/\(name)")
        case .file(let path):
            return try read(path)
        case .environment(let name):
            guard let value = surroundings.variable(name) else {
                throw .unavailable(
                    reference: text,
                    reason: "the variable is not set",
                    remedy: "set \(name)"
                )
            }
            return try checked(Array(value.utf8))
        }
    }

    private func read(_ path: String) throws(SecretError) -> SecretText {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard file >= 0 else {
            throw .unavailable(
                reference: text,
                reason: "cannot open \(path): \(SystemError.text(errno))",
                remedy: "create it readable for this user"
            )
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: Self.bytesMax + 1)
        var count = 0
        while count < bytes.count {
            let step = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(file, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if step < 0 {
                if errno == EINTR { continue }
                throw .unavailable(
                    reference: text,
                    reason: "cannot read \(path): \(SystemError.text(errno))",
                    remedy: "name a regular file readable for this user"
                )
            }
            if step == 0 { break }
            count += step
        }
        guard count <= Self.bytesMax else {
            throw .unavailable(
                reference: text,
                reason: "\(path) is over 64 KiB",
                remedy: "name the file that holds the secret alone"
            )
        }
        return try checked(Array(bytes[..<count]))
    }

    private func checked(_ bytes: [UInt8]) throws(SecretError) -> SecretText {
        var bytes = bytes
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard !bytes.isEmpty else {
            throw .unavailable(
                reference: text,
                reason: "it is empty",
                remedy: "store the secret there"
            )
        }
        guard !bytes.contains(0), let value = String(validating: bytes, as: UTF8.self) else {
            throw .unavailable(
                reference: text,
                reason: "it is not UTF-8 text",
                remedy: "store the secret as text"
            )
        }
        return SecretText(value)
    }

    private static let bytesMax = 64 << 10

    private static func rest(of text: String, after word: String) -> String? {
        text.hasPrefix(word) ? String(text.dropFirst(word.count)) : nil
    }
}

extension ReferencedText {
    /// The text itself, fetched from where it stands.
    package func resolved(in surroundings: SecretSurroundings) throws(SecretError) -> SecretText {
        switch self {
        case .plain(let text): SecretText(text)
        case .credential(let name):
            try SecretReference.credential(name).resolve(in: surroundings)
        case .file(let path): try SecretReference.file(path).resolve(in: surroundings)
        case .environment(let name):
            try SecretReference.environment(name).resolve(in: surroundings)
        }
    }
}

/// What references are resolved against; handed in so that tests and other programs choose it.
package struct SecretSurroundings: Sendable {
    /// `$CREDENTIALS_DIRECTORY`, if systemd set it.
    package var credentialsDirectory: String?
    /// Looks a variable of the environment up.
    package var variable: @Sendable (String) -> String?

    /// Surroundings from their parts.
    package init(
        credentialsDirectory: String?,
        variable: @escaping @Sendable (String) -> String?
    ) {
        self.credentialsDirectory = credentialsDirectory
        self.variable = variable
    }
}

/// Why a secret could not be had; the texts never hold the secret.
package enum SecretError: Error, Equatable, CustomStringConvertible {
    /// The reference itself cannot be understood.
    case malformed(reference: String, remedy: String)
    /// The place holds nothing usable.
    case unavailable(reference: String, reason: String, remedy: String)
    /// What was found is no webhook secret.
    case notAWebhookSecret(reason: String)

    package var description: String {
        switch self {
        case .malformed(let reference, let remedy):
            "\(reference) is no usable reference to a secret; \(remedy)"
        case .unavailable(let reference, let reason, let remedy):
            "the secret \(reference) cannot be read: \(reason); \(remedy)"
        case .notAWebhookSecret(let reason):
            "not a webhook secret: \(reason); write whsec_ and the base64 of 24 to 64 random bytes "
                + "(echo whsec_$(head -c 32 /dev/urandom | base64)), several separated by one space"
        }
    }
}
