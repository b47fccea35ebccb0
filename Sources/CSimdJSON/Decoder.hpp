// The walk over one record: simdjson finds the tokens, this checks all of them and picks the wanted values.
//
// simdjson's first stage, chosen for the processor at run time, checks UTF-8 and control characters and lists
// where each token begins (braces, brackets, commas, colons, opening quotes, first bytes of numbers and words).
// Everything else is ours, since the on-demand front end neither checks what it skips nor counts levels:
//
//   tokens   { "user_id" : "u1" , "time" : 17 }        one index each, in order
//   text     from a quote back from the next token, over white space, to the closing quote
//   escapes  only where the next backslash of the record lies inside the text
#ifndef COHORTD_DECODER_HPP
#define COHORTD_DECODER_HPP

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <simdjson.h>

#include "CSimdJSON.h"
#include "Names.hpp"
#include "Numbers.hpp"

namespace cohortd {

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

/// Values under wanted names; cleared by what was found, not by what was wanted.
class Found {
  public:
    void want(size_t count) {
        values_.assign(count, cohortd_json_view{nullptr, 0});
        indices_.assign(count, 0);
        count_ = 0;
    }

    void clear() {
        for (size_t at = 0; at < count_; ++at) values_[indices_[at]] = cohortd_json_view{nullptr, 0};
        count_ = 0;
    }

    /// Each index comes at most once an event, or the record has a duplicate key: the last one wins then.
    void put(size_t index, cohortd_json_view value) {
        if (values_[index].base == nullptr) indices_[count_++] = uint32_t(index);
        values_[index] = value;
    }

    cohortd_json_found view() const { return {values_.data(), indices_.data(), count_}; }

  private:
    std::vector<cohortd_json_view> values_;
    std::vector<uint32_t> indices_;
    size_t count_ = 0;
};

class Decoder {
  public:
    explicit Decoder(const simdjson::implementation *implementation);

    void want(
        const cohortd_json_view *top, size_t top_count, const cohortd_json_view *event, size_t event_count,
        const cohortd_json_view *user, size_t user_count);
    const cohortd_json_record *decode(const uint8_t *bytes, size_t count);
    const cohortd_json_record *element(size_t index);
    cohortd_json_view element_bytes(size_t index) const;

  private:
    /// A place in the list of tokens; null once something failed.
    using Cursor = const uint32_t *;

    struct Element {
        uint32_t token, begin, end;
    };

    bool reserve(size_t count);
    cohortd_json_status check_and_pick(size_t count);
    bool whole_is_json();
    Cursor key(Cursor token);

    void begin_event();
    void end_event();
    Cursor event(Cursor token, unsigned level, bool is_record);
    Cursor field(Cursor token, unsigned level, cohortd_json_field &field);
    Cursor event_properties(Cursor token, unsigned level);
    Cursor user_properties(Cursor token, unsigned level);
    Cursor set_properties(Cursor token, unsigned level);
    Cursor operation(cohortd_json_operation operation, Cursor token, unsigned level);
    Cursor unset_names(Cursor token, unsigned level);
    void put_operation(cohortd_json_operation operation, cohortd_json_member member) {
        operation_members_[operation].push_back(member);
        ++record_.event.operation_count;
    }
    Cursor events(Cursor token, unsigned level);

    template <bool Emit> Cursor value(Cursor token, unsigned level);
    /// Over an object at `level`; `member(name, token)` walks each value and returns the token behind it.
    template <typename Member> Cursor object(Cursor token, unsigned level, Member member);
    /// Over an array at `level`; `element(token)` walks each element and returns the token behind it.
    template <typename Element> Cursor array(Cursor token, unsigned level, Element element);
    Cursor encoded(Cursor token, unsigned level, cohortd_json_view &view);
    bool text(Cursor token, cohortd_json_view &view);
    bool unescape(uint8_t *begin, uint8_t *end, cohortd_json_view &view);
    void find_backslash(uint8_t *from) {
        auto found = memchr(from, '\\', size_t(limit_ - from));
        backslash_ = found ? static_cast<uint8_t *>(found) : limit_;
    }
    template <bool Convert> bool number(uint32_t at, Number &number);
    bool literal(uint32_t at, const char (&word)[5]);
    Cursor fail(cohortd_json_fault fault, uint32_t at);
    void note_duplicate(cohortd_json_view name);

    template <typename Integer> void emit(Integer integer) {
        memcpy(out_, &integer, sizeof integer);
        out_ += sizeof integer;
    }
    /// Fills in the counts of an encoded array or object that begins at `head`.
    void close_encoded(uint8_t *head, uint32_t count) {
        const uint32_t size = uint32_t(out_ - head - 5);
        memcpy(head + 1, &size, 4);
        memcpy(head + 5, &count, 4);
    }
    void emit_bytes(cohortd_json_view bytes) {
        emit(uint32_t(bytes.count));
        if (bytes.count <= 32) {
            memcpy(out_, bytes.base, 32);  // both sides have that much to spare
        } else {
            memcpy(out_, bytes.base, bytes.count);
        }
        out_ += bytes.count;
    }

    const simdjson::implementation *implementation_;
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
    size_t capacity_ = 0;

    Buffer text_buffer_, unescaped_buffer_, out_buffer_;
    uint8_t *text_ = nullptr;       // the record, padded with spaces
    uint8_t *unescaped_ = nullptr;  // where the next text with escapes goes
    uint8_t *out_ = nullptr;        // where the next encoded byte goes
    uint8_t *backslash_ = nullptr;  // the next one not yet looked at, else `limit_`
    uint8_t *limit_ = nullptr;      // end of what is walked

    NameStack open_names_;
    NameTable top_names_, event_names_, user_names_;
    Found top_, event_, plain_, set_;
    std::vector<cohortd_json_member> plain_members_, set_members_;
    // By operation; looked at only where the event has any.
    std::vector<cohortd_json_member> operation_members_[COHORTD_JSON_OPERATION_COUNT];
    cohortd_json_members operations_[COHORTD_JSON_OPERATION_COUNT] = {};
    std::vector<Element> elements_;
    bool deep_ = false, duplicate_ = false;
    cohortd_json_record record_{};
};

}  // namespace cohortd
#endif
