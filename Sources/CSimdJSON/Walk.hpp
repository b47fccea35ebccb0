// Values, checked and encoded: what every part of a record goes through.
#ifndef COHORTD_WALK_HPP
#define COHORTD_WALK_HPP

#include "Bytes.hpp"
#include "Tokens.hpp"

namespace cohortd {

/// Over the value at `cursor`; an object or array there has that level. With `Emit` it is encoded, too.
template <bool Emit, typename Cursor> inline Cursor Decoder::value(Cursor cursor, unsigned level) {
    // Most are texts.
    if (*bytes_at(cursor) != '"') return other_value<Emit>(cursor, level);
    cohortd_json_view view;
    cursor = text(cursor, view);
    if constexpr (Emit) {
        if (cursor) emit_text(view);
    }
    return cursor;
}

template <bool Emit, typename Cursor>
__attribute__((noinline)) Cursor Decoder::other_value(Cursor cursor, unsigned level) {
    switch (*bytes_at(cursor)) {
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9': {
        Number parsed;
        cursor = number<Emit>(cursor, parsed);
        if (!cursor) return nullptr;
        if constexpr (Emit) {
            if (parsed.kind == COHORTD_JSON_INTEGER) {
                emit_number(tag_integer, parsed.integer);
            } else {
                emit_number(tag_double, parsed.value);
            }
        }
        return cursor;
    }
    case 't':
        if constexpr (Emit) *out_++ = tag_yes;
        return word(cursor, 0, "true");
    case 'n':
        if constexpr (Emit) *out_++ = tag_null;
        return word(cursor, 0, "null");
    case 'f':
        if constexpr (Emit) *out_++ = tag_no;
        return word(cursor, 1, "alse");
    case '{': {
        uint8_t *head = out_;
        uint32_t count = 0;
        if constexpr (Emit) {
            *head = tag_object;
            out_ += 9;
        }
        cursor = object(
            cursor, level, nested_place(level),
            [&](cohortd_json_view name, int32_t, Cursor inner) {
                if constexpr (Emit) {
                    emit_name(name);
                    ++count;
                }
                return value<Emit>(inner, level + 1);
            });
        if constexpr (Emit) close_encoded(head, count);
        return cursor;
    }
    case '[': {
        uint8_t *head = out_;
        uint32_t count = 0;
        if constexpr (Emit) {
            *head = tag_array;
            out_ += 9;
        }
        cursor = array(cursor, level, [&](Cursor element) {
            ++count;
            return value<Emit>(element, level + 1);
        });
        if constexpr (Emit) close_encoded(head, count);
        return cursor;
    }
    default:
        return fail(COHORTD_JSON_FAULT_VALUE, cursor);
    }
}

/// Like `value`, and tells where the encoded bytes are.
template <typename Cursor>
inline Cursor Decoder::encoded(Cursor cursor, unsigned level, cohortd_json_view &view) {
    const uint8_t *start = out_;
    cursor = value<true>(cursor, level);
    view = {start, size_t(out_ - start)};
    return cursor;
}

}  // namespace cohortd
#endif
