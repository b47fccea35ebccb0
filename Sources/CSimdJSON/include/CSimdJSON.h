// One record of the events topic as flat views: the only door to simdjson.
//
// A decoder walks the whole record, whatever is asked for, so that a record is accepted or refused the same
// way under every plan. Memory it hands out belongs to it and stays until the next call that decodes.
// A decoder is used by one thread at a time and does not allocate once its buffers have grown to the
// largest record. Source of the rules: docs/operations.md, "Rejected events".
#ifndef COHORTD_CSIMDJSON_H
#define COHORTD_CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Borrowed bytes; `base` is NULL where there is nothing at all.
typedef struct {
    const uint8_t *base;
    size_t count;
} cohortd_json_view;

/// What became of a record; the first that applies, in this order of the refusals.
typedef enum {
    COHORTD_JSON_DECODED = 0,
    COHORTD_JSON_NOT_UTF8 = 1,
    COHORTD_JSON_NOT_JSON = 2,
    COHORTD_JSON_TOO_DEEP = 3,
    COHORTD_JSON_DUPLICATE_KEY = 4,
    /// No memory, or a processor simdjson cannot run on.
    COHORTD_JSON_FAILED = 5,
} cohortd_json_status;

/// Where a record stops being JSON.
typedef enum {
    COHORTD_JSON_FAULT_NONE = 0,
    COHORTD_JSON_FAULT_EMPTY,
    COHORTD_JSON_FAULT_VALUE,
    COHORTD_JSON_FAULT_LITERAL,
    COHORTD_JSON_FAULT_NUMBER,
    COHORTD_JSON_FAULT_NUMBER_RANGE,
    COHORTD_JSON_FAULT_ESCAPE,
    COHORTD_JSON_FAULT_KEY,
    COHORTD_JSON_FAULT_COLON,
    COHORTD_JSON_FAULT_COMMA,
    COHORTD_JSON_FAULT_TRAILING,
    COHORTD_JSON_FAULT_STRING_OPEN,
    COHORTD_JSON_FAULT_CONTROL_CHARACTER,
    COHORTD_JSON_FAULT_OTHER,
} cohortd_json_fault;

/// What a value is.
typedef enum {
    COHORTD_JSON_ABSENT = 0,
    COHORTD_JSON_NULL,
    COHORTD_JSON_BOOLEAN,
    /// Digits only, within signed 64 bits.
    COHORTD_JSON_INTEGER,
    /// Digits only, beyond signed 64 bits.
    COHORTD_JSON_BIG_INTEGER,
    /// With a fraction or an exponent.
    COHORTD_JSON_DOUBLE,
    COHORTD_JSON_TEXT,
    COHORTD_JSON_ARRAY,
    COHORTD_JSON_OBJECT,
} cohortd_json_kind;

/// One field of an event.
typedef struct {
    cohortd_json_kind kind;
    /// A text unescaped; a number as written.
    cohortd_json_view text;
    /// Of COHORTD_JSON_INTEGER.
    int64_t integer;
    /// Of the two other numbers: the nearest double, never −0.
    double number;
} cohortd_json_field;

/// A member of `user_properties` or of one of its operations; the value is encoded (see ValueKind.swift).
typedef struct {
    cohortd_json_view name;
    cohortd_json_view value;
} cohortd_json_member;

/// Members in the order of the record.
typedef struct {
    const cohortd_json_member *members;
    size_t count;
} cohortd_json_members;

/// The operations of `user_properties` beside `$set`, in the order in which they are applied.
typedef enum {
    /// One member with an empty name, whatever its value was.
    COHORTD_JSON_CLEAR_ALL = 0,
    /// Of a map its keys, of a list its texts; every value is null.
    COHORTD_JSON_UNSET,
    COHORTD_JSON_SET_ONCE,
    COHORTD_JSON_ADD,
    COHORTD_JSON_APPEND,
    COHORTD_JSON_PREPEND,
    COHORTD_JSON_PRE_INSERT,
    COHORTD_JSON_POST_INSERT,
    COHORTD_JSON_REMOVE,
} cohortd_json_operation;

/// How many there are.
enum { COHORTD_JSON_OPERATION_COUNT = 9 };

/// Values found under wanted names, encoded, by the index of the name; base NULL = not there.
typedef struct {
    const cohortd_json_view *values;
    /// The indices that are there.
    const uint32_t *found;
    size_t found_count;
} cohortd_json_found;

/// One event.
typedef struct {
    /// What the whole thing is; all else is absent unless it is an object.
    cohortd_json_kind kind;
    cohortd_json_field user_id;
    cohortd_json_field device_id;
    cohortd_json_field event_type;
    cohortd_json_field insert_id;
    cohortd_json_field time;
    /// `event_time` and `$insert_id`, the names of Amplitude's export form.
    cohortd_json_field event_time;
    cohortd_json_field export_insert_id;
    cohortd_json_field server_received_time;
    cohortd_json_kind event_properties;
    cohortd_json_kind user_properties;
    /// All plain members of `user_properties`, and all of its `$set`, in the order of the document.
    const cohortd_json_member *plain;
    size_t plain_count;
    const cohortd_json_member *set;
    size_t set_count;
    /// How many members the other operations have together; where that is none the lists need no look.
    size_t operation_count;
    /// Property operations, or members of them, that say nothing.
    size_t ignored_operations;
    /// Wanted names among the members of `event_properties`.
    cohortd_json_found event_values;
    /// Wanted names among the plain members of `user_properties`, and of its `$set`.
    cohortd_json_found plain_values;
    cohortd_json_found set_values;
    /// Wanted names among the event's own members.
    cohortd_json_found top_values;
    /// All members of the other operations, by operation.
    const cohortd_json_members *operations;
} cohortd_json_event;

/// One decoded record.
typedef struct {
    cohortd_json_status status;
    /// For messages, where status is NOT_JSON; `position` is a byte of the record.
    cohortd_json_fault fault;
    size_t position;
    /// The key that is there twice, unescaped, where status is DUPLICATE_KEY.
    cohortd_json_view duplicate;
    /// Whether the record is an object whose `events` is present and not null.
    bool is_batch;
    /// What `events` is, in a batch.
    cohortd_json_kind events;
    size_t element_count;
    /// The event: of a record that is no batch after `decode`, of an element after `element`.
    cohortd_json_event event;
} cohortd_json_record;

typedef struct cohortd_json_decoder cohortd_json_decoder;

/// A decoder on the best of simdjson's implementations for this processor, which it needs where the quick way
/// through a record does not lead to its end. For tests `implementation` names one, and then there is no quick
/// way. NULL where none, or that one, can run here.
cohortd_json_decoder *cohortd_json_create(const char *implementation);
void cohortd_json_destroy(cohortd_json_decoder *decoder);

/// The names of simdjson's implementations; NULL beyond the last.
const char *cohortd_json_implementation(size_t index);

/// Which names to look for. Names are copied; each list holds a name once.
void cohortd_json_want(
    cohortd_json_decoder *decoder,
    const cohortd_json_view *top, size_t top_count,
    const cohortd_json_view *event, size_t event_count,
    const cohortd_json_view *user, size_t user_count);

/// Walks one record; the answer stays valid until the next call with this decoder.
/// Cost: O(count); a hundred thousand keys in one object cost one sort.
const cohortd_json_record *cohortd_json_decode(
    cohortd_json_decoder *decoder, const uint8_t *bytes, size_t count);

/// Makes element `index` of the batch the record's `event`.
const cohortd_json_record *cohortd_json_element(cohortd_json_decoder *decoder, size_t index);

/// The bytes of element `index` of the batch, in the decoder's copy of the record.
cohortd_json_view cohortd_json_element_bytes(const cohortd_json_decoder *decoder, size_t index);

/// Reads bytes that are one JSON number and nothing else; false where they are not, or are beyond a double.
bool cohortd_json_number(const uint8_t *bytes, size_t count, cohortd_json_field *field);

/// The most bytes `cohortd_json_canonical` writes.
enum { COHORTD_JSON_CANONICAL_MAX = 352 };

/// Writes the shortest decimal that reads back as `number`, without exponent and trailing zeros; the
/// number must be finite. Returns the count of bytes.
size_t cohortd_json_canonical(double number, uint8_t *bytes);

#ifdef __cplusplus
}
#endif
#endif
