// From token to token straight through the text of the record.
//
// Behind the record there are a space, which ends a number or word, and zeros, which end nothing and are no
// white space: every loop ends there. Whether what is beyond ASCII is UTF-8 is asked once, of the whole record,
// behind the walk. All that makes a record to be refused just ends the walk: see Decoder.hpp.
#ifndef COHORTD_BYTES_HPP
#define COHORTD_BYTES_HPP

#include "Decoder.hpp"

namespace cohortd {

inline Decoder::Byte Decoder::text(Byte byte, cohortd_json_view &view) {
    const Byte begin = byte + 1;
    for (byte = begin;; byte += 16) {
        const uint32_t stops = Lanes(byte).not_plain();
        if (stops == 0) continue;
        byte += __builtin_ctz(stops);
        if (__builtin_expect(*byte != '"', 0)) return special_text(begin, byte, view);
        view = {begin, size_t(byte - begin)};
        return byte + 1;
    }
}

template <bool Convert>
__attribute__((always_inline)) inline Decoder::Byte Decoder::number(Byte byte, Number &number) {
    return parse_number<Convert>(byte, number) == NumberResult::ok ? number.end : nullptr;
}

inline Decoder::Byte Decoder::word(Byte byte, size_t skipped, const char (&tail)[5]) {
    byte += skipped;
    return memcmp(byte, tail, 4) == 0 && ends_scalar(byte[4]) ? byte + 4 : nullptr;
}

template <typename Member>
inline Decoder::Byte Decoder::object(Byte byte, unsigned level, Place &place, Member member) {
    if (__builtin_expect(level > level_max, 0)) return nullptr;
    const Shapes::Step *step = place.shapes.root(place.tree);
    for (;;) {
        // Here is the opening brace, or what follows a value.
        const Shapes::Step *next = place.shapes.next(step, byte);
        if (__builtin_expect(next == nullptr, 0)) {
            return unknown_members(byte, level, place, step, member);
        }
        step = next;
        const cohortd_json_view name{byte + step->name_begin, step->name_count};
        byte = member(name, step->index, skip_space(byte + step->count));
        if (__builtin_expect(!byte, 0)) return nullptr;
        byte = skip_space(byte);
        if (*byte == '}') return byte + 1;
    }
}

/// The rest of an object whose members so far are those on the way to `step`; `byte` is as in `object`.
template <typename Member>
__attribute__((noinline)) Decoder::Byte Decoder::unknown_members(
    Byte byte, unsigned level, Place &place, const Shapes::Step *step, Member member) {
    Shapes &shapes = place.shapes;
    const Byte from = byte;
    if (shapes.is_root(step)) {
        const Byte first = skip_space(byte + 1);
        if (*first == '}') return first + 1;
    } else if (*byte != ',') {
        return nullptr;
    }
    NameStack::Frame frame = open_names_.open();
    for (auto each = step; !shapes.is_root(each); each = shapes.before(each)) {
        open_names_.push(frame, each->bytes + each->name_begin, each->name_count, each->name_hash);
    }
    // What comes first here is remembered once the object is over, since the names above lie in the tree.
    Byte to = nullptr;
    Name learnt(from, 0);
    int32_t learnt_index = -1;
    for (;;) {
        byte = skip_space(byte + 1);
        cohortd_json_view view;
        if (*byte != '"' || !(byte = text(byte, view))) return nullptr;
        byte = skip_space(byte);
        if (*byte != ':') return nullptr;
        byte = skip_space(byte + 1);
        const Name name(view.base, view.count);
        if (!open_names_.add(frame, name)) return nullptr;
        const int32_t index = place.find(name);
        if (to == nullptr) {
            to = byte;
            learnt = name;
            learnt_index = index;
        }
        byte = member(view, index, byte);
        if (!byte) return nullptr;
        byte = skip_space(byte);
        if (*byte == ',') continue;
        if (*byte != '}') return nullptr;
        break;
    }
    if (open_names_.close(frame).base != nullptr) return nullptr;
    if (&place != &far_) shapes.learn(step, from, to, learnt, learnt_index);
    return byte + 1;
}

template <typename Element>
inline Decoder::Byte Decoder::array(Byte byte, unsigned level, Element element) {
    if (__builtin_expect(level > level_max, 0)) return nullptr;
    byte = skip_space(byte + 1);
    if (*byte == ']') return byte + 1;
    for (;;) {
        byte = element(byte);
        if (__builtin_expect(!byte, 0)) return nullptr;
        byte = skip_space(byte);
        const uint8_t next = *byte++;
        if (__builtin_expect(next != ',', 1)) return next == ']' ? byte : nullptr;
        byte = skip_space(byte);
    }
}

}  // namespace cohortd
#endif
