import CCurl

/// One request's handle of libcurl with the settings every request of ours has.
///
/// No redirect, proxy, `.netrc` or cookie; certificates and host names always verified.
/// Belongs to the thread that made it.
final class EasyHandle {
    let raw: UnsafeMutableRawPointer
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var firstFailure = CURLE_OK

    /// Once per process, before the first handle.
    private static let isLibraryReady: Bool =
        curl_global_init(cohortd_curl_global_default) == CURLE_OK

    /// A handle, or nil when there is no memory for one.
    init?() {
        guard Self.isLibraryReady, let raw = curl_easy_init() else {
            errorBuffer.deallocate()
            return nil
        }
        self.raw = raw
    }

    deinit {
        curl_easy_cleanup(raw)
        curl_slist_free_all(headerList)
        errorBuffer.deallocate()
    }

    /// Forgets the last request; connections and TLS sessions stay.
    func reset() {
        curl_easy_reset(raw)
        curl_slist_free_all(headerList)
        headerList = nil
        firstFailure = CURLE_OK
    }

    /// Sets up a request; the text of what libcurl refused, if it did.
    ///
    /// `authorities` is a file of CA certificates instead of the system's; `isSignalSafe` says
    /// whether SIGPIPE is blocked on this thread (if not, libcurl ignores it meanwhile); `context`
    /// is what the three callbacks get and must outlive the transfer.
    func prepare(
        method: String,
        url: String,
        isPlain: Bool,
        headers: [(name: String, value: String)],
        body: [UInt8],
        timeoutMilliseconds: Int,
        authorities: String?,
        isSignalSafe: Bool,
        context: UnsafeMutableRawPointer
    ) -> String? {
        errorBuffer.pointee = 0
        set(CURLOPT_ERRORBUFFER, pointer: errorBuffer)
        set(CURLOPT_URL, url)
        set(CURLOPT_PROTOCOLS_STR, isPlain ? "http" : "https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        set(CURLOPT_NOSIGNAL, isSignalSafe ? 1 : 0)
        // Without it the end of a transfer waits for a look-up that hangs, and every destination
        // with it.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSLVERSION, cohortd_curl_tls_1_2)
        if let authorities {
            set(CURLOPT_CAINFO, authorities)
            // Instead of, not beside the folder of the system that Debian's libcurl looks into.
            note(cohortd_curl_set_text(raw, CURLOPT_CAPATH, nil))
        }
        let timeout = max(1, timeoutMilliseconds)
        set(CURLOPT_TIMEOUT_MS, timeout)
        set(CURLOPT_CONNECTTIMEOUT_MS, min(timeout, Self.connectTimeoutMilliseconds))
        set(CURLOPT_WRITEDATA, pointer: context)
        set(CURLOPT_HEADERDATA, pointer: context)
        set(CURLOPT_OPENSOCKETDATA, pointer: context)
        set(CURLOPT_PREREQDATA, pointer: context)
        setMethod(method, body: body)
        setHeaders(headers)
        guard firstFailure == CURLE_OK else {
            return String(cString: curl_easy_strerror(firstFailure))
        }
        return nil
    }

    /// A connection that takes longer will not come; the rest of the timeout is for the answer.
    private static let connectTimeoutMilliseconds = 10_000

    private func setMethod(_ method: String, body: [UInt8]) {
        if method == "GET" {
            set(CURLOPT_HTTPGET, 1)
        } else {
            set(CURLOPT_POST, 1)
            note(cohortd_curl_set_body(raw, body, body.count))
            if method != "POST" { set(CURLOPT_CUSTOMREQUEST, method) }
        }
    }

    private func setHeaders(_ headers: [(name: String, value: String)]) {
        // libcurl would ask large bodies' receivers for leave first: a round trip for nothing.
        for (name, value) in headers + [("Expect", "")] {
            let line = "\(name):\(value.isEmpty ? "" : " ")\(value)"
            precondition(
                line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f },
                "a control character in the header \(name.debugDescription)"
            )
            guard let list = curl_slist_append(headerList, line) else {
                note(CURLE_OUT_OF_MEMORY)
                return
            }
            headerList = list
        }
        note(cohortd_curl_set_headers(raw, headerList))
    }

    private func set(_ option: CURLoption, _ value: Int) {
        note(cohortd_curl_set_long(raw, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) {
        note(cohortd_curl_set_text(raw, option, value))
    }

    private func set(_ option: CURLoption, pointer: UnsafeRawPointer) {
        note(cohortd_curl_set_pointer(raw, option, pointer))
    }

    /// Remembers the first setting that failed.
    func note(_ code: CURLcode) {
        if firstFailure == CURLE_OK { firstFailure = code }
    }
}

/// What libcurl tells about a transfer, while it runs and after it.
extension EasyHandle {
    /// The status code of the last answer, 0 without one.
    var status: Int { number(CURLINFO_RESPONSE_CODE) }

    /// Bytes of request lines and headers that were really written, over all connections tried.
    ///
    /// libcurl repeats a request by itself when a kept connection turns out dead, so that "the last
    /// connection was refused" does not mean that nothing left; this figure does.
    var requestByteCount: Int { number(CURLINFO_REQUEST_SIZE) }

    /// The system's error number of a connection that failed, 0 without one.
    var systemError: Int32 { Int32(truncatingIfNeeded: number(CURLINFO_OS_ERRNO)) }

    /// Where a redirect points to, whole; nil without one.
    var redirectURL: String? {
        var text: UnsafeMutablePointer<CChar>?
        guard cohortd_curl_get_text(raw, CURLINFO_REDIRECT_URL, &text) == CURLE_OK, let text else {
            return nil
        }
        return String(cString: text)
    }

    /// libcurl's words on the failure, printable ASCII only; they may hold parts of the URL.
    var detail: String {
        errorBuffer[Int(CURL_ERROR_SIZE) - 1] = 0
        return String(
            String(cString: errorBuffer).unicodeScalars.filter {
                $0.value >= 0x20 && $0.value < 0x7f
            }
            .map(Character.init)
        )
    }

    private func number(_ info: CURLINFO) -> Int {
        var value = 0
        return cohortd_curl_get_long(raw, info, &value) == CURLE_OK ? value : 0
    }
}
