// Tokens to values: the checks and encodings that every part of a record goes through.
#ifndef COHORTD_WALK_HPP
#define COHORTD_WALK_HPP

#include "Decoder.hpp"

namespace cohortd {

/// The most objects and arrays inside one another.
static constexpr unsigned level_max = 64;

/// Tags of encoded values, as in ValueKind.swift. Stored: do not renumber.
enum Tag : uint8_t { tag_null, tag_no, tag_yes, tag_integer, tag_double, tag_text, tag_array, tag_object };

inline Decoder::Cursor Decoder::fail(cohortd_json_fault fault, uint32_t at) {
    record_.fault = fault;
    record_.position = at;
    return nullptr;
}

inline void Decoder::note_duplicate(cohortd_json_view name) {
    if (!duplicate_) record_.duplicate = name;
    duplicate_ = true;
}

/// The text whose opening quote `token` is.
inline bool Decoder::text(Cursor token, cohortd_json_view &view) {
    uint8_t *begin = text_ + *token + 1;
    uint8_t *end = text_ + token[1] - 1;
    if (__builtin_expect(*end != '"', 0)) {
        // Between the closing quote and the next token there is white space only.
        while (is_space(*end)) --end;
    }
    if (__builtin_expect(end < begin || *end != '"', 0)) {
        return fail(COHORTD_JSON_FAULT_STRING_OPEN, *token) != nullptr;
    }
    if (__builtin_expect(backslash_ < end, 0)) return unescape(begin, end, view);
    view = {begin, size_t(end - begin)};
    return true;
}

inline bool Decoder::literal(uint32_t at, const char (&word)[5]) {
    if (memcmp(text_ + at, word, 4) == 0 && ends_scalar(text_[at + 4])) return true;
    return fail(COHORTD_JSON_FAULT_LITERAL, at) != nullptr;
}

template <bool Convert> inline bool Decoder::number(uint32_t at, Number &number) {
    const NumberResult result = parse_number<Convert>(text_ + at, number);
    if (__builtin_expect(result == NumberResult::ok, 1)) return true;
    fail(
        result == NumberResult::beyond ? COHORTD_JSON_FAULT_NUMBER_RANGE : COHORTD_JSON_FAULT_NUMBER, at);
    return false;
}

template <typename Member>
inline Decoder::Cursor Decoder::object(Cursor token, unsigned level, Member member) {
    if (__builtin_expect(level > level_max, 0)) {
        deep_ = true;
        return nullptr;
    }
    if (text_[*++token] == '}') return token + 1;
    NameStack::Frame frame = open_names_.open();
    for (;;) {
        cohortd_json_view view;
        if (__builtin_expect(text_[*token] != '"', 0)) return fail(COHORTD_JSON_FAULT_KEY, *token);
        if (!text(token, view)) return nullptr;
        if (__builtin_expect(text_[*++token] != ':', 0)) return fail(COHORTD_JSON_FAULT_COLON, *token);
        const Name name(view.base, view.count);
        if (__builtin_expect(!open_names_.add(frame, name), 0)) note_duplicate(view);
        token = member(name, token + 1);
        if (__builtin_expect(!token, 0)) return nullptr;
        const uint8_t next = text_[*token++];
        if (next == ',') continue;
        if (__builtin_expect(next != '}', 0)) return fail(COHORTD_JSON_FAULT_COMMA, token[-1]);
        break;
    }
    const cohortd_json_view twice = open_names_.close(frame);
    if (__builtin_expect(twice.base != nullptr, 0)) note_duplicate(twice);
    return token;
}

template <typename Element>
inline Decoder::Cursor Decoder::array(Cursor token, unsigned level, Element element) {
    if (__builtin_expect(level > level_max, 0)) {
        deep_ = true;
        return nullptr;
    }
    if (text_[*++token] == ']') return token + 1;
    for (;;) {
        token = element(token);
        if (__builtin_expect(!token, 0)) return nullptr;
        const uint8_t next = text_[*token++];
        if (next == ',') continue;
        if (__builtin_expect(next != ']', 0)) return fail(COHORTD_JSON_FAULT_COMMA, token[-1]);
        return token;
    }
}

/// Over the value at `token`; an object or array there has that level. With `Emit` it is encoded, too.
template <bool Emit> Decoder::Cursor Decoder::value(Cursor token, unsigned level) {
    const uint32_t at = *token;
    switch (text_[at]) {
    case '"': {
        cohortd_json_view view;
        if (!text(token, view)) return nullptr;
        if constexpr (Emit) {
            emit(tag_text);
            emit_bytes(view);
        }
        return token + 1;
    }
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9': {
        Number parsed;
        if (!number<Emit>(at, parsed)) return nullptr;
        if constexpr (Emit) {
            if (parsed.kind == COHORTD_JSON_INTEGER) {
                emit(tag_integer);
                emit(parsed.integer);
            } else {
                emit(tag_double);
                emit(parsed.value);
            }
        }
        return token + 1;
    }
    case 't':
        if (!literal(at, "true")) return nullptr;
        if constexpr (Emit) emit(tag_yes);
        return token + 1;
    case 'n':
        if (!literal(at, "null")) return nullptr;
        if constexpr (Emit) emit(tag_null);
        return token + 1;
    case 'f':
        if (!literal(at + 1, "alse")) return fail(COHORTD_JSON_FAULT_LITERAL, at);
        if constexpr (Emit) emit(tag_no);
        return token + 1;
    case '{': {
        uint8_t *head = out_;
        uint32_t count = 0;
        if constexpr (Emit) {
            emit(tag_object);
            out_ += 8;
        }
        token = object(token, level, [&](const Name &name, Cursor inner) {
            if constexpr (Emit) {
                emit_bytes({name.base, name.count});
                ++count;
            }
            return value<Emit>(inner, level + 1);
        });
        if constexpr (Emit) close_encoded(head, count);
        return token;
    }
    case '[': {
        uint8_t *head = out_;
        uint32_t count = 0;
        if constexpr (Emit) {
            emit(tag_array);
            out_ += 8;
        }
        token = array(token, level, [&](Cursor element) {
            ++count;
            return value<Emit>(element, level + 1);
        });
        if constexpr (Emit) close_encoded(head, count);
        return token;
    }
    default:
        return fail(COHORTD_JSON_FAULT_VALUE, at);
    }
}

/// Like `value`, and tells where the encoded bytes are.
inline Decoder::Cursor Decoder::encoded(Cursor token, unsigned level, cohortd_json_view &view) {
    const uint8_t *start = out_;
    token = value<true>(token, level);
    view = {start, size_t(out_ - start)};
    return token;
}

}  // namespace cohortd
#endif
