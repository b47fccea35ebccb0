/// How a request says where its body ends.
///
/// Whatever two readers could understand differently is refused, and the connection closed: that is
/// how requests are smuggled past a proxy.
/// Source: RFC 9112, 6.1 to 6.3.
enum BodyFraming: Equatable {
    /// No body.
    case none
    /// So many bytes.
    case length(Int)
    /// Chunks until an empty one.
    case chunked

    init(_ headers: HTTPHeaders) throws(RequestTarget.Problem) {
        for field in headers.fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(isTokenByte) else {
                throw RequestTarget.Problem(text: "a header field's name is malformed")
            }
            guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
                throw RequestTarget.Problem(text: "a header field holds a control character")
            }
        }
        guard headers.all("host").count <= 1 else {
            throw RequestTarget.Problem(text: "the request has more than one Host")
        }
        let lengths = headers.all("content-length")
        let encodings = headers.all("transfer-encoding")
        if let encoding = encodings.first {
            guard encodings.count == 1, encoding.lowercasedASCII == "chunked" else {
                throw RequestTarget.Problem(text: "the only Transfer-Encoding taken is chunked")
            }
            guard lengths.isEmpty else {
                throw RequestTarget.Problem(
                    text: "the request has both Content-Length and Transfer-Encoding"
                )
            }
            self = .chunked
            return
        }
        guard let text = lengths.first else {
            self = .none
            return
        }
        guard lengths.count == 1, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(text)
        else {
            throw RequestTarget.Problem(text: "the Content-Length is not one decimal number")
        }
        self = length == 0 ? .none : .length(length)
    }
}

/// What RFC 9110 lets a field name consist of.
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"):
        true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
