import Cryptography
import Testing
import TestKit

@Suite("Hashes")
struct HashTests {
    private func hexDigits(_ function: MessageDigest.Function, _ text: String) throws -> String {
        let digest = try #require(MessageDigest(function))
        return Array(text.utf8).withUnsafeBytes { message in
            digest.withHash(of: message) { hash in
                hash.map { byte in
                    let digits = Array("0123456789abcdef")
                    return "\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
                }.joined()
            }
        }
    }

    @Test("SHA-256 is that of FIPS 180-4, for every length around a block")
    func sha256() throws {
        for count in [0, 1, 55, 56, 63, 64, 65, 200] {
            let text = String(repeating: "a", count: count)
            #expect(try hexDigits(.sha256, text) == SHA256.hexDigits(Array(text.utf8)))
        }
    }

    @Test("MD5 gives the vectors of RFC 1321")
    func md5() throws {
        #expect(try hexDigits(.md5, "") == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(try hexDigits(.md5, "message digest") == "f96b697d7cb7938d525a2f31aaf161d0")
    }

    @Test("a digest that is used again begins anew")
    func reuse() throws {
        let digest = try #require(MessageDigest(.sha256))
        let hash = { (text: String) -> [UInt8] in
            Array(text.utf8).withUnsafeBytes { digest.withHash(of: $0) { Array($0) } }
        }
        let first = hash("one")
        _ = hash("two")
        #expect(hash("one") == first)
    }
}

@Suite("Message authentication")
struct MessageAuthenticationTests {
    @Test("HMAC-SHA256 gives the second vector of RFC 4231")
    func hmac() {
        let code = MessageAuthentication.hmacSHA256(
            key: Array("Jefe".utf8),
            Array("what do ya want for nothing?".utf8)
        )
        #expect(code.prefix(4) == [0x5b, 0xdc, 0xc1, 0x46])
        #expect(code.suffix(4) == [0x64, 0xec, 0x38, 0x43])
    }

    @Test("texts of other lengths or bytes are not equal")
    func comparison() {
        #expect(MessageAuthentication.isEqual([1, 2, 3], [1, 2, 3]))
        #expect(!MessageAuthentication.isEqual([1, 2, 3], [1, 2, 4]))
        #expect(!MessageAuthentication.isEqual([1, 2, 3], [1, 2]))
    }
}

@Suite("Random bytes")
struct SystemRandomTests {
    @Test("as many as asked for, and not the same again")
    func bytes() {
        #expect(SystemRandom.bytes(count: 0).isEmpty)
        #expect(SystemRandom.bytes(count: 32).count == 32)
        #expect(SystemRandom.bytes(count: 32) != SystemRandom.bytes(count: 32))
    }
}
