// From token to token by simdjson's list of them.
//
// simdjson's first stage, chosen for the processor at run time, checks UTF-8 and control characters and lists
// where each token begins (braces, brackets, commas, colons, opening quotes, first bytes of numbers and words).
// Everything else is ours, since the on-demand front end neither checks what it skips nor counts levels:
//
//   text     from a quote back from the next token, over white space, to the closing quote
//   escapes  only where the next backslash of the record lies inside the text
#ifndef COHORTD_TOKENS_HPP
#define COHORTD_TOKENS_HPP

#include "Decoder.hpp"

namespace cohortd {

/// Where the value before `behind` ends.
inline uint32_t Decoder::end_before(Token behind) const {
    uint32_t end = *behind;
    while (is_space(text_[end - 1])) --end;
    return end;
}

inline Decoder::Token Decoder::text(Token token, cohortd_json_view &view) {
    const uint8_t *begin = text_ + *token + 1;
    const uint8_t *end = text_ + token[1] - 1;
    if (__builtin_expect(*end != '"', 0)) {
        // Between the closing quote and the next token there is white space only.
        while (is_space(*end)) --end;
    }
    if (__builtin_expect(end < begin || *end != '"', 0)) return fail(COHORTD_JSON_FAULT_STRING_OPEN, token);
    if (__builtin_expect(backslash_ < end, 0)) {
        const uint8_t *fault = unescape(begin, backslash_, end, view);
        if (fault != nullptr) return fail_at(COHORTD_JSON_FAULT_ESCAPE, uint32_t(fault - text_));
        find_backslash(end);
    } else {
        view = {begin, size_t(end - begin)};
    }
    return token + 1;
}

template <bool Convert> inline Decoder::Token Decoder::number(Token token, Number &number) {
    const NumberResult result = parse_number<Convert>(text_ + *token, number);
    if (__builtin_expect(result == NumberResult::ok, 1)) return token + 1;
    return fail(
        result == NumberResult::beyond ? COHORTD_JSON_FAULT_NUMBER_RANGE : COHORTD_JSON_FAULT_NUMBER, token);
}

inline Decoder::Token Decoder::word(Token token, size_t skipped, const char (&tail)[5]) {
    const uint8_t *at = text_ + *token + skipped;
    if (memcmp(at, tail, 4) == 0 && ends_scalar(at[4])) return token + 1;
    return fail(COHORTD_JSON_FAULT_LITERAL, token);
}

template <typename Member>
inline Decoder::Token Decoder::object(Token token, unsigned level, Place &place, Member member) {
    if (__builtin_expect(level > level_max, 0)) {
        deep_ = true;
        return nullptr;
    }
    if (text_[*++token] == '}') return token + 1;
    NameStack::Frame frame = open_names_.open();
    for (;;) {
        cohortd_json_view view;
        if (__builtin_expect(text_[*token] != '"', 0)) return fail(COHORTD_JSON_FAULT_KEY, token);
        token = text(token, view);
        if (!token) return nullptr;
        if (__builtin_expect(text_[*token] != ':', 0)) return fail(COHORTD_JSON_FAULT_COLON, token);
        const Name name(view.base, view.count);
        if (__builtin_expect(!open_names_.add(frame, name), 0)) note_duplicate(view);
        token = member(view, place.find(name), token + 1);
        if (__builtin_expect(!token, 0)) return nullptr;
        const uint8_t next = text_[*token++];
        if (next == ',') continue;
        if (__builtin_expect(next != '}', 0)) return fail(COHORTD_JSON_FAULT_COMMA, token - 1);
        break;
    }
    const cohortd_json_view twice = open_names_.close(frame);
    if (__builtin_expect(twice.base != nullptr, 0)) note_duplicate(twice);
    return token;
}

template <typename Element>
inline Decoder::Token Decoder::array(Token token, unsigned level, Element element) {
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
        if (__builtin_expect(next != ']', 0)) return fail(COHORTD_JSON_FAULT_COMMA, token - 1);
        return token;
    }
}

}  // namespace cohortd
#endif
