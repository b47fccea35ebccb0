// One event: its own fields, the wanted properties, and everything it says about its user.

#include "TopNames.hpp"
#include "Walk.hpp"

namespace cohortd {

static bool is_text(cohortd_json_view name, const char *text) {
    return name.count == strlen(text) && memcmp(name.base, text, name.count) == 0;
}

/// The property operation other than `$set`, −1 for any other name: that is a property, `$` or not.
static int operation_of(cohortd_json_view name) {
    static const char *const operations[COHORTD_JSON_OPERATION_COUNT] = {
        "$clearAll", "$unset", "$setOnce", "$add", "$append", "$prepend", "$preInsert", "$postInsert", "$remove",
    };
    for (int operation = 0; operation < COHORTD_JSON_OPERATION_COUNT; ++operation) {
        if (is_text(name, operations[operation])) return operation;
    }
    return -1;
}

/// The value of a member that says only a name.
static cohortd_json_view null_value() {
    static const uint8_t encoded[] = {tag_null};
    return {encoded, sizeof encoded};
}

/// What begins with that byte; a number or a word may still turn out to be none.
static cohortd_json_kind kind_of(uint8_t first) {
    switch (first) {
    case '{': return COHORTD_JSON_OBJECT;
    case '[': return COHORTD_JSON_ARRAY;
    case '"': return COHORTD_JSON_TEXT;
    case 'n': return COHORTD_JSON_NULL;
    case 't': case 'f': return COHORTD_JSON_BOOLEAN;
    default: return COHORTD_JSON_DOUBLE;
    }
}

/// One of `trees`, a power of two, by the middle of a name, and perhaps by what follows it there; any will do.
static size_t tree_of(cohortd_json_view name, size_t trees) {
    if (name.count == 0) return 0;
    const uint64_t middle = load64(name.base + name.count / 2) * 0x9e3779b97f4a7c15;
    return (size_t(middle >> 32) + name.count) & (trees - 1);
}

/// The fields by their indices among the names of the top level.
static constexpr cohortd_json_field cohortd_json_event::*fields[] = {
    &cohortd_json_event::user_id,          &cohortd_json_event::device_id,
    &cohortd_json_event::event_type,       &cohortd_json_event::insert_id,
    &cohortd_json_event::time,             &cohortd_json_event::event_time,
    &cohortd_json_event::export_insert_id, &cohortd_json_event::server_received_time,
};
static constexpr int32_t field_count = int32_t(Top::event_properties);
static_assert(sizeof fields / sizeof fields[0] == field_count, "the fields are the first of these names");

template <typename Cursor> Cursor Decoder::event(Cursor cursor, unsigned level, bool is_record) {
    cohortd_json_event &event = record_.event;
    event.kind = kind_of(*bytes_at(cursor));
    if (event.kind != COHORTD_JSON_OBJECT) return value<false>(cursor, level);
    const unsigned inner = level + 1;
    return object(
        cursor, level, top_place_,
        [&](cohortd_json_view, int32_t index, Cursor member) COHORTD_INLINE_LAMBDA -> Cursor {
            if (index < 0) return value<false>(member, inner);
            if (index < field_count) return field(member, inner, event.*fields[index]);
            switch (Top(index)) {
            case Top::event_properties: return event_properties(member, inner);
            case Top::user_properties: return user_properties(member, inner);
            case Top::events: return is_record ? events(member, inner) : value<false>(member, inner);
            default: break;
            }
            cohortd_json_view view;
            member = encoded(member, inner, view);
            top_.put(size_t(index - top_name_count), view);
            return member;
        });
}

template const uint32_t *Decoder::event(const uint32_t *, unsigned, bool);
template const uint8_t *Decoder::event(const uint8_t *, unsigned, bool);

template <typename Cursor>
inline Cursor Decoder::field(Cursor cursor, unsigned level, cohortd_json_field &field) {
    if (*bytes_at(cursor) != '"') return other_field(cursor, level, field);
    field.kind = COHORTD_JSON_TEXT;
    return text(cursor, field.text);
}

template <typename Cursor>
__attribute__((noinline)) Cursor Decoder::other_field(
    Cursor cursor, unsigned level, cohortd_json_field &field) {
    const uint8_t *start = bytes_at(cursor);
    field.kind = kind_of(*start);
    if (field.kind != COHORTD_JSON_DOUBLE) return value<false>(cursor, level);
    if (*start != '-' && !is_digit(*start)) return fail(COHORTD_JSON_FAULT_VALUE, cursor);
    Number parsed{};
    cursor = number<true>(cursor, parsed);
    if (!cursor) return nullptr;
    field.kind = parsed.kind;
    field.integer = parsed.integer;
    field.number = parsed.value;
    field.text = {start, size_t(parsed.end - start)};
    return cursor;
}

template <typename Cursor> Cursor Decoder::event_properties(Cursor cursor, unsigned level) {
    cohortd_json_kind &kind = record_.event.event_properties;
    kind = kind_of(*bytes_at(cursor));
    if (kind != COHORTD_JSON_OBJECT) return value<false>(cursor, level);
    event_place_.tree = tree_of(record_.event.event_type.text, event_place_.shapes.trees());
    return object(
        cursor, level, event_place_,
        [&](cohortd_json_view, int32_t index, Cursor member) COHORTD_INLINE_LAMBDA -> Cursor {
            if (index < 0) return value<false>(member, level + 1);
            cohortd_json_view view;
            member = encoded(member, level + 1, view);
            event_.put(size_t(index), view);
            return member;
        });
}

template <typename Cursor> Cursor Decoder::user_properties(Cursor cursor, unsigned level) {
    cohortd_json_event &event = record_.event;
    event.user_properties = kind_of(*bytes_at(cursor));
    if (event.user_properties != COHORTD_JSON_OBJECT) return value<false>(cursor, level);
    return object(
        cursor, level, user_place_, [&](cohortd_json_view name, int32_t index, Cursor member) -> Cursor {
            if (name.count > 0 && name.base[0] == '$') {
                if (is_text(name, "$set")) {
                    if (*bytes_at(member) == '{') return set_properties(member, level + 1);
                    ++event.ignored_operations;
                    return value<false>(member, level + 1);
                }
                const int operation = operation_of(name);
                if (operation >= 0) {
                    return this->operation(cohortd_json_operation(operation), member, level + 1);
                }
            }
            cohortd_json_view view;
            member = encoded(member, level + 1, view);
            plain_members_.push_back({name, view});
            if (index >= 0) plain_.put(size_t(index), view);
            return member;
        });
}

template <typename Cursor> Cursor Decoder::set_properties(Cursor cursor, unsigned level) {
    return object(
        cursor, level, set_place_, [&](cohortd_json_view name, int32_t index, Cursor member) -> Cursor {
            cohortd_json_view view;
            member = encoded(member, level + 1, view);
            set_members_.push_back({name, view});
            if (index >= 0) set_.put(size_t(index), view);
            return member;
        });
}

/// Over the value of an operation other than `$set`.
template <typename Cursor>
Cursor Decoder::operation(cohortd_json_operation operation, Cursor cursor, unsigned level) {
    const uint8_t first = *bytes_at(cursor);
    if (operation == COHORTD_JSON_CLEAR_ALL) {
        put_operation(operation, {{text_, 0}, null_value()});
        return value<false>(cursor, level);
    }
    if (operation == COHORTD_JSON_UNSET && first == '[') return unset_names(cursor, level);
    if (first != '{') {
        ++record_.event.ignored_operations;
        return value<false>(cursor, level);
    }
    return object(
        cursor, level, nested_place(level), [&](cohortd_json_view name, int32_t, Cursor member) -> Cursor {
            cohortd_json_view view = null_value();
            if (operation == COHORTD_JSON_UNSET) {
                member = value<false>(member, level + 1);
            } else {
                member = encoded(member, level + 1, view);
                // Null is no value, and `$setOnce` gives none up: it would say nothing.
                if (operation == COHORTD_JSON_SET_ONCE && member && view.base[0] == tag_null) {
                    ++record_.event.ignored_operations;
                    return member;
                }
            }
            put_operation(operation, {name, view});
            return member;
        });
}

/// Over the list of names of an `$unset`; what is no text names nothing.
template <typename Cursor> Cursor Decoder::unset_names(Cursor cursor, unsigned level) {
    return array(cursor, level, [&](Cursor element) -> Cursor {
        if (*bytes_at(element) != '"') {
            ++record_.event.ignored_operations;
            return value<false>(element, level + 1);
        }
        cohortd_json_view name;
        element = text(element, name);
        if (!element) return nullptr;
        put_operation(COHORTD_JSON_UNSET, {name, null_value()});
        return element;
    });
}

/// Over the `events` of a record, noting where each begins.
template <typename Cursor> Cursor Decoder::events(Cursor cursor, unsigned level) {
    record_.events = kind_of(*bytes_at(cursor));
    record_.is_batch = record_.events != COHORTD_JSON_NULL;
    elements_.clear();
    if (record_.events != COHORTD_JSON_ARRAY) return value<false>(cursor, level);
    cursor = array(cursor, level, [&](Cursor element) -> Cursor {
        Element noted{token_index(element), uint32_t(bytes_at(element) - text_), 0};
        element = value<false>(element, level + 1);
        if (!element) return nullptr;
        noted.end = end_before(element);
        elements_.push_back(noted);
        return element;
    });
    if (cursor) record_.element_count = elements_.size();
    return cursor;
}

}  // namespace cohortd
