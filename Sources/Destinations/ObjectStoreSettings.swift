/// Where objects go: a bucket of Amazon S3, or of a store that speaks as it does.
package struct ObjectStoreSettings: Sendable, Equatable {
    /// Who may write; each given by reference, so it can change while the program runs.
    package struct Credentials: Sendable, Equatable {
        /// The access key id.
        package var accessKey: SecretText
        /// Its secret.
        package var secretKey: SecretText

        /// Credentials from their parts.
        package init(accessKey: SecretText, secretKey: SecretText) {
            self.accessKey = accessKey
            self.secretKey = secretKey
        }
    }

    /// The destination's id.
    package let destination: String
    /// The region that signatures name, such as `eu-central-1`.
    package let region: String
    /// The bucket.
    package let bucket: String
    /// In front of every object's name; a folder ends in `/`.
    package let prefix: String
    /// Which addresses may be dialled.
    package let policy: AddressPolicy
    /// The time for one request, in milliseconds; a part of an upload is one.
    package let timeoutMilliseconds: Int

    /// The URL of the bucket, without a slash at its end.
    let bucketURL: DestinationURL
    /// The path of the bucket, without a slash at its end.
    let bucketPath: String

    /// Checks the settings.
    ///
    /// - Parameters:
    ///   - destination: The destination's id.
    ///   - endpoint: Scheme, host and port of the store; nil is Amazon's of the region.
    ///   - region: As the store calls it; stores that have none take any.
    ///   - bucket: An existing one.
    ///   - prefix: In front of every object's name.
    ///   - policy: Which addresses may be dialled.
    ///   - timeoutMilliseconds: The time for one request.
    /// - Throws: `ObjectStoreSettingsError` with the remedy.
    package init(
        destination: String,
        endpoint: String?,
        region: String,
        bucket: String,
        prefix: String,
        policy: AddressPolicy,
        timeoutMilliseconds: Int = 120_000
    ) throws(ObjectStoreSettingsError) {
        try Self.check(region: region, bucket: bucket, prefix: prefix)
        self.destination = destination
        self.region = region
        self.bucket = bucket
        self.prefix = prefix
        self.policy = policy
        self.timeoutMilliseconds = timeoutMilliseconds
        let endpoint = endpoint ?? "https://s3.\(region).amazonaws.com"
        do {
            let url = try DestinationURL(endpoint, policy: policy)
            let parts = try URLParts(endpoint)
            guard parts.path == "/", !parts.hasQuery else {
                throw AddressError.badURL(
                    reason: "it holds a path or a query",
                    remedy:
                        "write https://HOST or https://HOST:PORT; the bucket has a key of its own"
                )
            }
            // A bucket with a dot would be no name of Amazon's certificate.
            let isHost = url.host.hasSuffix(".amazonaws.com") && !bucket.contains(".")
            bucketPath = isHost ? "" : "/\(bucket)"
            let target = isHost ? Self.target(url, under: bucket) : url.target
            bucketURL = try DestinationURL(target + bucketPath, policy: policy)
        } catch {
            throw ObjectStoreSettingsError(text: "endpoint: \(error)")
        }
    }

    /// The `Host` of requests.
    var host: String {
        String(bucketURL.target.drop { $0 != "/" }.dropFirst(2))
    }

    private static func target(_ url: DestinationURL, under bucket: String) -> String {
        url.target.replacing("://", with: "://\(bucket).", maxReplacements: 1)
    }

    private static func check(
        region: String,
        bucket: String,
        prefix: String
    ) throws(ObjectStoreSettingsError) {
        func isWord(_ text: String, _ count: ClosedRange<Int>, _ marks: String) -> Bool {
            count.contains(text.utf8.count)
                && text.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                        || (0x61...0x7a).contains(byte) || marks.utf8.contains(byte)
                }
        }
        guard isWord(region, 1...64, "-") else {
            throw ObjectStoreSettingsError(
                text: "region: \"\(region)\" is no region; write one such as eu-central-1"
            )
        }
        guard isWord(bucket, 3...63, "-._"), bucket.first != "." else {
            throw ObjectStoreSettingsError(
                text:
                    "bucket: \"\(bucket)\" is no bucket's name; write 3 to 63 letters, digits, - and ."
            )
        }
        let segments = prefix.split(separator: "/", omittingEmptySubsequences: false)
        let isPath = segments.dropLast().allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard isPath, prefix.utf8.count <= 512, prefix.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else {
            throw ObjectStoreSettingsError(
                text: "prefix: \"\(prefix)\" is no start of a name; write a path such as exports/,"
                    + " without a slash in front, . and .., of 512 bytes at most"
            )
        }
    }
}

/// Why a store cannot be used as it is configured: the setting, what is wrong, what to do.
package struct ObjectStoreSettingsError: Error, Equatable, CustomStringConvertible {
    /// The text.
    package let text: String

    package var description: String { text }
}
