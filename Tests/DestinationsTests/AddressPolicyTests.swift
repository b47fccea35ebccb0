import Basics
import Destinations
import Testing

@Suite("Which addresses may be dialled")
struct AddressPolicyTests {
    private func check(_ text: String, allow: [String] = [], isPlain: Bool = false) throws {
        let address = try #require(NetworkAddress(text))
        try AddressPolicy(allowPrivate: allow).check(
            address,
            isPlain: isPlain,
            target: "https://crm.example.com"
        )
    }

    @Test(
        "private and reserved addresses are refused, the first and the last of each range",
        arguments: [
            "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
            "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254",
            "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.1",
            "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
            "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.0",
            "255.255.255.255", "::", "::1", "::7f00:1", "64:ff9b::", "64:ff9b::808:808",
            "64:ff9b:1::1", "100::1", "2001::1", "2001:1ff:ffff::", "2001:db8::1", "2002::1",
            "2002:a00:1::1", "fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1",
            "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        ]
    )
    func reserved(_ text: String) throws {
        let error = #expect(throws: AddressError.self) { try check(text) }
        #expect("\(try #require(error))".contains("to allow_private"))
    }

    @Test(
        "public addresses are dialled, next to each range too",
        arguments: [
            "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.0.0.1",
            "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
            "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
            "198.20.0.0", "223.255.255.255", "8.8.8.8", "2001:200::1", "2001:4860:4860::8888",
            "2003::1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9c::1",
        ]
    )
    func open(_ text: String) throws {
        try check(text)
    }

    @Test("allow_private opens exactly its ranges")
    func allowed() throws {
        try check("10.1.2.3", allow: ["10.1.2.0/24"])
        try check("::ffff:10.1.2.3", allow: ["10.1.2.0/24"])
        try check("fd12::9", allow: ["192.168.0.0/16", "fd00::/8"])
        try check("127.0.0.1", allow: ["127.0.0.1"])
        try check("192.168.9.9", allow: ["0.0.0.0/0"])
        #expect(throws: AddressError.self) { try check("10.1.3.3", allow: ["10.1.2.0/24"]) }
        #expect(throws: AddressError.self) { try check("::1", allow: ["0.0.0.0/0"]) }
        #expect(throws: AddressError.self) { try check("127.0.0.2", allow: ["127.0.0.1/32"]) }
    }

    @Test("plain http is for allow_private only, public addresses included")
    func plain() throws {
        try check("10.1.2.3", allow: ["10.0.0.0/8"], isPlain: true)
        let error = #expect(throws: AddressError.self) {
            try check("8.8.8.8", allow: ["10.0.0.0/8"], isPlain: true)
        }
        #expect("\(try #require(error))".contains("use https"))
    }

    @Test("the remedy names a range that would do")
    func remedies() throws {
        let expected = [
            ("10.1.2.3", "add 10.1.2.0/24 to allow_private"),
            ("127.0.0.1", "add 127.0.0.0/8 to allow_private"),
            ("::1", "add ::1/128 to allow_private"),
            ("fd12:3456:789a:1::5", "add fd12:3456:789a:1::/64 to allow_private"),
            ("::ffff:192.168.1.1", "add 192.168.1.0/24 to allow_private"),
        ]
        for (address, remedy) in expected {
            let error = #expect(throws: AddressError.self) { try check(address) }
            #expect("\(try #require(error))".hasSuffix(remedy))
            let range = try #require(remedy.split(separator: " ").dropFirst().first)
            try check(address, allow: [String(range)])
        }
    }

    @Test(
        "what is no range is refused",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
            "10.1.2.3/8", "fd00::/129", "fd00::1/8", "localhost", "10.0/8", "0x7f.0.0.1",
            "fe80::1%eth0/64", "*", "10.0.0.0/9999999999999999999999",
        ]
    )
    func badRange(_ text: String) {
        #expect(throws: AddressError.self) { try AddressPolicy(allowPrivate: [text]) }
    }

    @Test("a range with bits behind its length is refused with the range that was meant")
    func strayBits() {
        let error = #expect(throws: AddressError.self) {
            try AddressPolicy(allowPrivate: ["10.1.2.3/8"])
        }
        #expect(error.map { "\($0)" }?.contains("write 10.0.0.0/8") == true)
    }
}
