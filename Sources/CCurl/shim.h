#ifndef COHORTD_CCurl_SHIM_H
#define COHORTD_CCurl_SHIM_H
// The type checks of curl_easy_setopt are macros of variadic calls; the faces below have types.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

typedef size_t (*cohortd_curl_data)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode cohortd_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode cohortd_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode cohortd_curl_set_pointer(CURL *handle, CURLoption option, const void *value) {
    return curl_easy_setopt(handle, option, value);
}
// The size goes first: libcurl copies that many bytes when the body is set.
static inline CURLcode cohortd_curl_set_body(CURL *handle, const void *bytes, size_t count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, bytes);
}
static inline CURLcode cohortd_curl_set_headers(CURL *handle, struct curl_slist *list) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
}
static inline CURLcode cohortd_curl_set_body_callback(CURL *handle, cohortd_curl_data callback) {
    return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, callback);
}
static inline CURLcode cohortd_curl_set_header_callback(CURL *handle, cohortd_curl_data callback) {
    return curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, callback);
}
static inline CURLcode cohortd_curl_set_open_socket(CURL *handle, curl_opensocket_callback callback) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, callback);
}
static inline CURLcode cohortd_curl_set_before_request(CURL *handle, curl_prereq_callback callback) {
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, callback);
}
static inline CURLcode cohortd_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLcode cohortd_curl_get_text(CURL *handle, CURLINFO info, char **value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLMcode cohortd_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode cohortd_curl_multi_set_socket(
    CURLM *multi, curl_socket_callback callback, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    return code != CURLM_OK ? code : curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback);
}
static inline CURLMcode cohortd_curl_multi_set_timer(
    CURLM *multi, curl_multi_timer_callback callback, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
    return code != CURLM_OK ? code : curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback);
}
// `data` of a message is a union.
static inline CURLcode cohortd_curl_message_result(const CURLMsg *message) {
    return message->data.result;
}
// `addr` is only the beginning of the address: its true length is `addrlen`.
static inline const void *cohortd_curl_address(const struct curl_sockaddr *address) {
    return &address->addr;
}
// Casts inside CURL_SOCKET_BAD, CURL_GLOBAL_DEFAULT and CURL_SOCKET_TIMEOUT keep them out of Swift.
static const curl_socket_t cohortd_curl_socket_bad = CURL_SOCKET_BAD;
static const curl_socket_t cohortd_curl_socket_timeout = CURL_SOCKET_TIMEOUT;
static const long cohortd_curl_global_default = CURL_GLOBAL_DEFAULT;
static const long cohortd_curl_tls_1_2 = CURL_SSLVERSION_TLSv1_2;
static const long cohortd_curl_no_multiplex = CURLPIPE_NOTHING;
#endif
