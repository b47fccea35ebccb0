#ifndef COHORTD_CMicroHTTPD_SHIM_H
#define COHORTD_CMicroHTTPD_SHIM_H
#include <microhttpd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// Swift cannot call variadic functions: MHD_start_daemon and MHD_get_connection_info get faces
// here.

typedef void *(*cohortd_mhd_target_callback)(void *context, const char *target,
                                             struct MHD_Connection *connection);

/// What MHD_start_daemon takes as a list of options.
struct cohortd_mhd_options {
    int listen_socket;
    unsigned int threads;
    unsigned int connections_max;
    unsigned int per_address_max;
    unsigned int idle_seconds;
    size_t connection_memory_bytes;
    void *context;
    MHD_AccessHandlerCallback access;
    cohortd_mhd_target_callback target;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection;
    /// In PEM, zero-terminated, alive as long as the daemon; NULL for plain HTTP.
    const char *certificate;
    const char *key;
};

enum { cohortd_mhd_problem_size = 256 };

/// TLS 1.2 and 1.3, of GnuTLS' usual ciphers.
#define COHORTD_MHD_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/// Where this thread wants to have what MHD logs; NULL when nowhere.
static inline char **cohortd_mhd_problem(void) {
    static _Thread_local char *problem = NULL;
    return &problem;
}

/// Keeps the first line that MHD logs while it starts: what follows from it says less. Lines about
/// clients come on its own threads, where nobody wants them.
static inline void cohortd_mhd_log(void *context, const char *format, va_list arguments) {
    char *line = *cohortd_mhd_problem();
    (void)context;
    if (line && line[0] == 0) vsnprintf(line, cohortd_mhd_problem_size, format, arguments);
}

/// Takes no request.
static inline enum MHD_Result cohortd_mhd_refuse(void *context, struct MHD_Connection *connection,
                                                 const char *url, const char *method,
                                                 const char *version, const char *data,
                                                 size_t *size, void **slot) {
    (void)context, (void)connection, (void)url, (void)method, (void)version, (void)data;
    (void)size, (void)slot;
    return MHD_NO;
}

/// Whether MHD cannot use a certificate with its key; then `problem` says why.
///
/// It is asked by starting a daemon that has no socket and no thread.
static inline bool cohortd_mhd_refuses(const char *certificate, const char *key, char *problem) {
    problem[0] = 0;
    *cohortd_mhd_problem() = problem;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TLS | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        cohortd_mhd_refuse, NULL,
        MHD_OPTION_EXTERNAL_LOGGER, cohortd_mhd_log, NULL,
        MHD_OPTION_HTTPS_MEM_CERT, certificate,
        MHD_OPTION_HTTPS_MEM_KEY, key,
        MHD_OPTION_HTTPS_PRIORITIES, COHORTD_MHD_PRIORITIES,
        MHD_OPTION_END);
    *cohortd_mhd_problem() = NULL;
    if (!daemon) return true;
    MHD_stop_daemon(daemon);
    return false;
}

/// Starts a pool of epoll threads on a socket that listens already; NULL when MHD refuses, and then
/// `problem` may say why.
static inline struct MHD_Daemon *cohortd_mhd_start(const struct cohortd_mhd_options *options,
                                                   char *problem) {
    // A pool of one is no pool to MHD, which then refuses the option.
    enum MHD_OPTION pool = options->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)COHORTD_MHD_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    if (options->certificate) flags |= MHD_USE_TLS;
    problem[0] = 0;
    *cohortd_mhd_problem() = problem;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, NULL, NULL,
        options->access, options->context,
        MHD_OPTION_EXTERNAL_LOGGER, cohortd_mhd_log, NULL,
        MHD_OPTION_ARRAY, options->certificate ? tls : tls + 3,
        MHD_OPTION_LISTEN_SOCKET, options->listen_socket,
        MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->per_address_max,
        MHD_OPTION_CONNECTION_TIMEOUT, options->idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->connection_memory_bytes,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, options->target, options->context,
        MHD_OPTION_NOTIFY_COMPLETED, options->completed, options->context,
        MHD_OPTION_NOTIFY_CONNECTION, options->connection, options->context,
        pool, options->threads,
        MHD_OPTION_END);
    *cohortd_mhd_problem() = NULL;
    return daemon;
}

/// Whether the target ends where the request line says so.
///
/// MHD hands the target over inside its copy of the request line, the spaces overwritten by zeros,
/// so the version follows the zero. A zero that the client sent makes the target look shorter:
/// something else follows then. Reads no further than that line, whose last bytes are the version
/// or the line's end.
static inline bool cohortd_mhd_target_is_whole(const char *target) {
    return strncmp(target + strlen(target) + 1, "HTTP/", 5) == 0;
}

/// What the connection callback left in `*socket_context`.
static inline void *cohortd_mhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/// The connection's socket, -1 when MHD does not say.
static inline int cohortd_mhd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/// The address of the other side, NULL when MHD does not say.
static inline const struct sockaddr *cohortd_mhd_client(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

/// The length of the request line and the header in bytes.
static inline size_t cohortd_mhd_header_bytes(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

#endif
