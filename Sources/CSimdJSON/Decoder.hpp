// The walk over one record, which checks all of it and picks the wanted values.
//
// There is one set of rules for what an event is, and there are two ways to go from token to token, told apart by
// the type of the cursor:
//
//   bytes    { "user_id" : "u1" , "time" : 17 }        straight through the text
//   tokens   { "user_id" : "u1" , "time" : 17 }        by simdjson's list of where each begins, in order
//
// The first is the quick one, and only ever accepts: whatever it cannot go on with, be it malformed, too deep or
// a key twice, is walked by tokens then, and only that walk says what is wrong. Bytes.hpp and Tokens.hpp have
// what differs between the two.
#ifndef COHORTD_DECODER_HPP
#define COHORTD_DECODER_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <simdjson.h>

#include "CSimdJSON.h"
#include "Names.hpp"
#include "Numbers.hpp"
#include "Shapes.hpp"

/// For what is called once where it matters, and once more where it does not.
#define COHORTD_INLINE_LAMBDA __attribute__((always_inline))

namespace cohortd {

/// Tags of encoded values, as in ValueKind.swift. Stored: do not renumber.
enum Tag : uint8_t { tag_null, tag_no, tag_yes, tag_integer, tag_double, tag_text, tag_array, tag_object };

/// Bytes that only grow and are never cleared.
class Buffer {
  public:
    Buffer() = default;
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;
    ~Buffer() { free(bytes_); }

    /// Room for `count` bytes; what is there is lost. False without memory.
    bool reserve(size_t count) {
        if (count <= capacity_) return true;
        free(bytes_);
        capacity_ = count + count / 2;
        bytes_ = static_cast<uint8_t *>(malloc(capacity_));
        if (bytes_ == nullptr) capacity_ = 0;
        return bytes_ != nullptr;
    }

    uint8_t *bytes() const { return bytes_; }

  private:
    uint8_t *bytes_ = nullptr;
    size_t capacity_ = 0;
};

/// Values under wanted names, kept where the event shows them; cleared by what was found, not by what was wanted.
class Found {
  public:
    explicit Found(cohortd_json_found &shown) : shown_(shown) {}

    void want(size_t count) {
        values_.assign(count, cohortd_json_view{nullptr, 0});
        indices_.assign(count, 0);
        shown_ = {values_.data(), indices_.data(), 0};
    }

    void clear() {
        for (size_t at = 0; at < shown_.found_count; ++at) values_[indices_[at]] = cohortd_json_view{nullptr, 0};
        shown_.found_count = 0;
    }

    /// Each index comes at most once an event, or the record has a duplicate key: the last one wins then.
    void put(size_t index, cohortd_json_view value) {
        if (values_[index].base == nullptr) indices_[shown_.found_count++] = uint32_t(index);
        values_[index] = value;
    }

  private:
    std::vector<cohortd_json_view> values_;
    std::vector<uint32_t> indices_;
    cohortd_json_found &shown_;
};

class Decoder {
  public:
    /// With `quick` false every record is walked by tokens.
    Decoder(const simdjson::implementation *implementation, bool quick);

    void want(
        const cohortd_json_view *top, size_t top_count, const cohortd_json_view *event, size_t event_count,
        const cohortd_json_view *user, size_t user_count);
    const cohortd_json_record *decode(const uint8_t *bytes, size_t count);
    const cohortd_json_record *element(size_t index);
    cohortd_json_view element_bytes(size_t index) const;

  private:
    /// A token, by its place in the list of tokens; null once something failed.
    using Token = const uint32_t *;
    /// A token, or white space before it, by its place in the text; null once something failed.
    using Byte = const uint8_t *;

    struct Element {
        uint32_t token, begin, end;
    };

    /// The most objects and arrays inside one another.
    static constexpr unsigned level_max = 64;

    bool reserve(size_t count);
    bool reserve_parser(size_t count);
    bool walk_bytes(size_t count);
    cohortd_json_status walk_tokens(size_t count);
    bool whole_is_json();
    Token key(Token token);

    void begin_record();
    void begin_event();
    void end_event();

    // Event.cpp; a cursor of either kind, and of the same kind that behind the value.
    template <typename Cursor> Cursor event(Cursor cursor, unsigned level, bool is_record);
    template <typename Cursor> Cursor field(Cursor cursor, unsigned level, cohortd_json_field &field);
    template <typename Cursor> Cursor other_field(Cursor cursor, unsigned level, cohortd_json_field &field);
    template <typename Cursor> Cursor event_properties(Cursor cursor, unsigned level);
    template <typename Cursor> Cursor user_properties(Cursor cursor, unsigned level);
    template <typename Cursor> Cursor set_properties(Cursor cursor, unsigned level);
    template <typename Cursor>
    Cursor operation(cohortd_json_operation operation, Cursor cursor, unsigned level);
    template <typename Cursor> Cursor unset_names(Cursor cursor, unsigned level);
    void put_operation(cohortd_json_operation operation, cohortd_json_member member) {
        operation_members_[operation].push_back(member);
        ++record_.event.operation_count;
    }
    template <typename Cursor> Cursor events(Cursor cursor, unsigned level);

    // Walk.hpp
    template <bool Emit, typename Cursor> Cursor value(Cursor cursor, unsigned level);
    template <bool Emit, typename Cursor> Cursor other_value(Cursor cursor, unsigned level);
    template <typename Cursor> Cursor encoded(Cursor cursor, unsigned level, cohortd_json_view &view);

    // Tokens.hpp and Bytes.hpp: for each kind of cursor the same.
    uint8_t *bytes_at(Token token) const { return text_ + *token; }
    const uint8_t *bytes_at(Byte byte) const { return byte; }
    uint32_t token_index(Token token) const { return uint32_t(token - parser_->structural_indexes.get()); }
    uint32_t token_index(Byte) const { return 0; }
    uint32_t end_before(Token behind) const;
    uint32_t end_before(Byte behind) const { return uint32_t(behind - text_); }
    Token fail(cohortd_json_fault fault, Token token) { return fail_at(fault, *token); }
    Byte fail(cohortd_json_fault, Byte) { return nullptr; }
    /// Over the text at its opening quote.
    Token text(Token token, cohortd_json_view &view);
    Byte text(Byte byte, cohortd_json_view &view);
    template <bool Convert> Token number(Token token, Number &number);
    template <bool Convert> Byte number(Byte byte, Number &number);
    /// Over `true`, `false` or `null`, whose last four bytes are given.
    Token word(Token token, size_t skipped, const char (&tail)[5]);
    Byte word(Byte byte, size_t skipped, const char (&tail)[5]);
    /// Over an object at `level`; `member(name, index, value)` goes over each value.
    template <typename Member> Token object(Token token, unsigned level, Place &place, Member member);
    template <typename Member> Byte object(Byte byte, unsigned level, Place &place, Member member);
    /// Over an array at `level`; `element(cursor)` goes over each element.
    template <typename Element> Token array(Token token, unsigned level, Element element);
    template <typename Element> Byte array(Byte byte, unsigned level, Element element);

    // Only of the walk by tokens.
    Token fail_at(cohortd_json_fault fault, uint32_t position) {
        record_.fault = fault;
        record_.position = position;
        return nullptr;
    }
    void note_duplicate(cohortd_json_view name) {
        if (!duplicate_) record_.duplicate = name;
        duplicate_ = true;
    }
    void find_backslash(const uint8_t *from) {
        auto found = memchr(from, '\\', size_t(limit_ - from));
        backslash_ = found ? static_cast<const uint8_t *>(found) : limit_;
    }

    // Only of the walk by bytes.
    static Byte skip_space(Byte byte) {
        while (__builtin_expect(*byte <= ' ', 0) && is_space(*byte)) ++byte;
        return byte;
    }
    Byte special_text(Byte begin, Byte special, cohortd_json_view &view);
    template <typename Member>
    Byte unknown_members(
        Byte byte, unsigned level, Place &place, const Shapes::Step *step, Member member);

    const uint8_t *unescape(
        const uint8_t *begin, const uint8_t *first, const uint8_t *end, cohortd_json_view &view);

    Place &nested_place(unsigned level) {
        return level < sizeof nested_ / sizeof nested_[0] ? nested_[level] : far_;
    }

    // Each writes with one look at `out_`, which any byte that is written might have changed.
    template <typename Value> void emit_number(Tag tag, Value value) {
        uint8_t *out = out_;
        *out = tag;
        memcpy(out + 1, &value, 8);
        out_ = out + 9;
    }
    void emit_text(cohortd_json_view text) {
        uint8_t *out = out_;
        *out = tag_text;
        out_ = put_counted(out + 1, text);
    }
    void emit_name(cohortd_json_view name) { out_ = put_counted(out_, name); }
    static uint8_t *put_counted(uint8_t *out, cohortd_json_view bytes) {
        const uint32_t count = uint32_t(bytes.count);
        memcpy(out, &count, 4);
        out += 4;
        // Both sides have that much to spare. In two steps, or it is one call of any count with what follows.
        uint64_t first[4];
        memcpy(first, bytes.base, 32);
        memcpy(out, first, 32);
        if (__builtin_expect(bytes.count > 32, 0)) memcpy(out, bytes.base, bytes.count);
        return out + bytes.count;
    }
    /// Fills in the counts of an encoded array or object that begins at `head`.
    void close_encoded(uint8_t *head, uint32_t count) {
        const uint32_t size = uint32_t(out_ - head - 5);
        memcpy(head + 1, &size, 4);
        memcpy(head + 5, &count, 4);
    }

    const simdjson::implementation *implementation_;
    const bool quick_;
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
    size_t capacity_ = 0;

    size_t reserved_ = 0;  // how long a record the buffers have room for
    Buffer text_buffer_, unescaped_buffer_, out_buffer_;
    uint8_t *text_ = nullptr;             // the record, a space, and zeros
    uint8_t *limit_ = nullptr;            // end of what is walked
    uint8_t *unescaped_ = nullptr;        // where the next text with escapes goes
    uint8_t *out_ = nullptr;              // where the next encoded byte goes
    const uint8_t *backslash_ = nullptr;  // the next one not yet looked at, else `limit_`; by tokens only
    bool by_bytes_ = false;               // whether the record was accepted by the walk over its bytes
    bool has_high_ = false;               // whether there may be bytes beyond ASCII, once that walk is over

    NameStack open_names_;
    NameTable top_names_, event_names_, user_names_;
    Place top_place_, user_place_, set_place_;
    // The members of `event_properties` go with the type of the event: one tree for those of like types.
    Place event_place_{nullptr, Shapes(64, 4096)};
    // By level; each tree has at most one object open. Further in nothing is remembered.
    Place nested_[8], far_;
    cohortd_json_record record_{};
    Found top_{record_.event.top_values}, event_{record_.event.event_values};
    Found plain_{record_.event.plain_values}, set_{record_.event.set_values};
    std::vector<cohortd_json_member> plain_members_, set_members_;
    // By operation; looked at only where the event has any.
    std::vector<cohortd_json_member> operation_members_[COHORTD_JSON_OPERATION_COUNT];
    cohortd_json_members operations_[COHORTD_JSON_OPERATION_COUNT] = {};
    std::vector<Element> elements_;
    bool deep_ = false, duplicate_ = false;
};

}  // namespace cohortd
#endif
