// Values, checked and encoded: what every part of a record goes through.
#ifndef COHORTD_WALK_HPP
#define COHORTD_WALK_HPP

#include "Bytes.hpp"
#include "Tokens.hpp"

namespace cohortd {

/// Tags of encoded values, as in ValueKind.swift. Stored: do not renumber.
enum Tag : uint8_t { tag_null, tag_no, tag_yes, tag_integer, tag_double, tag_text, tag_array, tag_object };

/// Over the value at `cursor`; an object or array there has that level. With `Emit` it is encoded, too.
template <bool Emit, typename Cursor> Cursor Decoder::value(Cursor cursor, unsigned level) {
    switch (*bytes_at(cursor)) {
    case '"': {
        cohortd_json_view view;
        cursor = text(cursor, view);
        if (!cursor) return nullptr;
        if constexpr (Emit) {
            emit(tag_text);
            emit_bytes(view);
        }
        return cursor;
    }
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9': {
        Number parsed;
        cursor = number<Emit>(cursor, parsed);
        if (!cursor) return nullptr;
        if constexpr (Emit) {
            if (parsed.kind == COHORTD_JSON_INTEGER) {
                emit(tag_integer);
                emit(parsed.integer);
            } else {
                emit(tag_double);
                emit(parsed.value);
            }
        }
        return cursor;
    }
    case 't':
        if constexpr (Emit) emit(tag_yes);
        return word(cursor, 0, "true");
    case 'n':
        if constexpr (Emit) emit(tag_null);
        return word(cursor, 0, "null");
    case 'f':
        if constexpr (Emit) emit(tag_no);
        return word(cursor, 1, "alse");
    case '{': {
        uint8_t *head = out_;
        uint32_t count = 0;
        if constexpr (Emit) {
            emit(tag_object);
            out_ += 8;
        }
        cursor = object(
            cursor, level, nested_place(level),
            [&](cohortd_json_view name, int32_t, Cursor inner) {
                if constexpr (Emit) {
                    emit_bytes(name);
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
            emit(tag_array);
            out_ += 8;
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
