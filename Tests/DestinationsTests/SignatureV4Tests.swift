import Testing

@testable import Destinations

@Suite("AWS Signature Version 4")
struct SignatureV4Tests {
    static let key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

    /// What botocore, Amazon's own client library, computes for the same requests.
    static let vectors: [(request: SignatureV4.Request, region: String, signature: String)] = [
        (
            request(
                "PUT",
                "exports.s3.eu-central-1.amazonaws.com",
                "/a%20b/vip_2026.csv",
                hash: "fc408dbc978fed9c65c2be9326fca8c5b0edaa737478c46c0999bb912c700c5d"
            ),
            "eu-central-1", "c826fa5a1d4a785a9df9dad2e7dcabf351fdb0ab5d0085e19a0e39ec4165bce5"
        ),
        (
            request(
                "POST",
                "127.0.0.1:9000",
                "/exports/x/vip.csv",
                [("uploads", "")],
                hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            ),
            "us-east-1", "22c91141b262da4f63d268823a060fd3ce5028fbf2dc834b7b9a4ea4c5355293"
        ),
        (
            request(
                "PUT",
                "127.0.0.1:9000",
                "/exports/x/vip.csv",
                [("uploadId", "a%2Fb~c"), ("partNumber", "10")],
                hash: "bd7475717a88f13dc3864a91c12fb7d155e7cccc8ca9430ef2665db2d2df7f2e"
            ),
            "us-east-1", "d3180e9996b386634e2dd1715dace8744c70ed0fe1fec7e99e515b6c47200018"
        ),
    ]

    private static func request(
        _ method: String,
        _ host: String,
        _ path: String,
        _ query: [(String, String)] = [],
        hash: String
    ) -> SignatureV4.Request {
        SignatureV4.Request(
            method: method,
            path: path,
            query: query,
            headers: [
                ("x-amz-date", "20260102T030400Z"), ("Host", "  \(host) "),
                ("x-amz-content-sha256", hash),
            ],
            bodyHash: hash,
            instant: "20260102T030400Z"
        )
    }

    @Test("requests are signed as Amazon's own client library signs them", arguments: 0..<3)
    func golden(_ index: Int) throws {
        let (request, region, expected) = Self.vectors[index]
        let text = try #require(SignatureV4()).authorization(
            request,
            by: SignatureV4.Key(
                accessKey: SecretText("AKIDEXAMPLE"),
                secretKey: SecretText(Self.key),
                region: region,
                service: "s3"
            )
        )
        #expect(
            text == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/\(region)/s3/aws4_request, "
                + "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=\(expected)"
        )
    }

    @Test("bodies are hashed with SHA-256")
    func hash() throws {
        let signature = try #require(SignatureV4())
        #expect(
            signature.hash(Array("user_id\nu1\n".utf8))
                == "fc408dbc978fed9c65c2be9326fca8c5b0edaa737478c46c0999bb912c700c5d"
        )
    }
}
