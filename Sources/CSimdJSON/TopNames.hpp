// The members of an event that the decoder itself knows.
#ifndef COHORTD_TOP_NAMES_HPP
#define COHORTD_TOP_NAMES_HPP

#include <cstdint>

namespace cohortd {

/// Indices in the table of top-level names; the wanted names of that level follow.
enum class Top : int32_t {
    user_id,
    device_id,
    event_type,
    insert_id,
    time,
    event_time,
    export_insert_id,
    server_received_time,
    event_properties,
    user_properties,
    events,
};

/// The names themselves, by index.
static constexpr const char *top_names[] = {
    "user_id", "device_id", "event_type", "insert_id", "time", "event_time", "$insert_id", "server_received_time",
    "event_properties", "user_properties", "events",
};

static constexpr int32_t top_name_count = sizeof top_names / sizeof top_names[0];

}  // namespace cohortd
#endif
