#ifndef COHORTD_CRDKAFKA_SHIM_H
#define COHORTD_CRDKAFKA_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

/* rd_kafka_producev takes its arguments as typed pairs of a variadic call, which Swift cannot make.
 * The client copies key and value; `headers` become its own only when the call succeeds. */
static inline rd_kafka_resp_err_t cohortd_kafka_produce(
    rd_kafka_t *rk, const char *topic, int32_t partition,
    const void *key, size_t key_count, const void *value, size_t value_count,
    rd_kafka_headers_t *headers, int64_t timestamp, uint64_t token) {
  return rd_kafka_producev(
      rk,
      RD_KAFKA_V_TOPIC(topic),
      RD_KAFKA_V_PARTITION(partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_KEY((void *)(uintptr_t)key, key_count),
      RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value_count),
      RD_KAFKA_V_TIMESTAMP(timestamp),
      RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_OPAQUE((void *)(uintptr_t)token),
      RD_KAFKA_V_END);
}

/* The token given to cohortd_kafka_produce, back from a delivery report. */
static inline uint64_t cohortd_kafka_token(const rd_kafka_message_t *message) {
  return (uint64_t)(uintptr_t)message->_private;
}

#endif
