#ifndef COHORTD_CMicroHTTPD_SHIM_H
#define COHORTD_CMicroHTTPD_SHIM_H
#include <microhttpd.h>
#include <stdbool.h>
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
};

/// Starts a pool of epoll threads on a socket that listens already; NULL when MHD refuses.
static inline struct MHD_Daemon *cohortd_mhd_start(const struct cohortd_mhd_options *options) {
    // A pool of one is no pool to MHD, which then refuses the option.
    enum MHD_OPTION pool = options->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END;
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL,
        options->access, options->context,
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
