#include "Decoder.hpp"
#include "TopNames.hpp"
#include "Walk.hpp"

namespace cohortd {

static cohortd_json_view view_of(const char *text) {
    return {reinterpret_cast<const uint8_t *>(text), strlen(text)};
}

/// Zeros behind the record: as many bytes as are read at once, two times.
static constexpr size_t padding = 64;
static_assert(padding >= simdjson::SIMDJSON_PADDING, "simdjson reads so far behind the record");

Decoder::Decoder(const simdjson::implementation *implementation, bool quick)
    : implementation_(implementation), quick_(quick) {
    top_place_.wanted = &top_names_;
    event_place_.wanted = &event_names_;
    user_place_.wanted = set_place_.wanted = &user_names_;
    record_.event.operations = operations_;
    want(nullptr, 0, nullptr, 0, nullptr, 0);
}

void Decoder::want(
    const cohortd_json_view *top, size_t top_count, const cohortd_json_view *event, size_t event_count,
    const cohortd_json_view *user, size_t user_count) {
    std::vector<cohortd_json_view> names;
    for (const char *name : top_names) names.push_back(view_of(name));
    names.insert(names.end(), top, top + top_count);
    top_names_.fill(names.data(), names.size());
    event_names_.fill(event, event_count);
    user_names_.fill(user, user_count);
    // They hold indices into these tables.
    for (Place *place : {&top_place_, &event_place_, &user_place_, &set_place_}) place->shapes.clear();
    top_.want(top_count);
    event_.want(event_count);
    plain_.want(user_count);
    set_.want(user_count);
}

bool Decoder::reserve(size_t count) {
    if (count < reserved_) return true;
    // No value takes more than nine bytes beside its text, and none is written with less than a byte, and a
    // comma or bracket behind it.
    reserved_ = 0;
    const bool done = text_buffer_.reserve(count + padding) && unescaped_buffer_.reserve(count + padding) &&
                      out_buffer_.reserve(9 * (count / 2 + 1) + count + 64);
    if (done) reserved_ = count + 1;
    return done;
}

bool Decoder::reserve_parser(size_t count) {
    if (count <= capacity_ && parser_) return true;
    const size_t capacity = count < 8192 ? 16384 : count + count / 2;
    auto error = parser_ ? parser_->set_capacity(capacity)
                         : implementation_->create_dom_parser_implementation(capacity, 1, parser_);
    if (error) return false;
    capacity_ = capacity;
    return true;
}

const cohortd_json_record *Decoder::decode(const uint8_t *bytes, size_t count) {
    begin_record();
    if (count >= simdjson::SIMDJSON_MAXSIZE_BYTES - 256 || !reserve(count)) {
        record_.status = COHORTD_JSON_FAILED;
        return &record_;
    }
    text_ = text_buffer_.bytes();
    limit_ = text_ + count;
    memcpy(text_, bytes, count);
    memset(limit_, 0, padding);
    *limit_ = ' ';
    by_bytes_ = quick_ && walk_bytes(count);
    if (by_bytes_) {
        record_.status = COHORTD_JSON_DECODED;
    } else {
        if (quick_) begin_record();
        record_.status = walk_tokens(count);
    }
    // simdjson stops at its first complaint, and where it has no vector code it looks into texts only, while
    // bytes that are not UTF-8 come before all else. Elsewhere than in a text they are no JSON either.
    if (record_.status == COHORTD_JSON_NOT_JSON &&
        !implementation_->validate_utf8(reinterpret_cast<const char *>(text_), count)) {
        record_.status = COHORTD_JSON_NOT_UTF8;
    }
    end_event();
    return &record_;
}

/// Whether the record is accepted; if not, it may still be, by tokens.
bool Decoder::walk_bytes(size_t count) {
    open_names_.clear();
    out_ = out_buffer_.bytes();
    unescaped_ = unescaped_buffer_.bytes();
    has_high_ = false;
    const Byte end = event(skip_space(text_), 1, true);
    if (!end || skip_space(end) < limit_) return false;
    return !has_high_ || implementation_->validate_utf8(reinterpret_cast<const char *>(text_), count);
}

cohortd_json_status Decoder::walk_tokens(size_t count) {
    if (count == 0) {
        fail_at(COHORTD_JSON_FAULT_EMPTY, 0);
        return COHORTD_JSON_NOT_JSON;
    }
    if (!reserve_parser(count)) return COHORTD_JSON_FAILED;
    auto error = parser_->stage1(text_, count, simdjson::stage1_mode::regular);
    if (error) {
        if (error == simdjson::MEMALLOC || error == simdjson::CAPACITY) return COHORTD_JSON_FAILED;
        fail_at(
            error == simdjson::EMPTY               ? COHORTD_JSON_FAULT_EMPTY
            : error == simdjson::UNCLOSED_STRING   ? COHORTD_JSON_FAULT_STRING_OPEN
            : error == simdjson::UNESCAPED_CHARS   ? COHORTD_JSON_FAULT_CONTROL_CHARACTER
                                                   : COHORTD_JSON_FAULT_OTHER,
            0);
        return COHORTD_JSON_NOT_JSON;
    }
    open_names_.clear();
    out_ = out_buffer_.bytes();
    unescaped_ = unescaped_buffer_.bytes();
    find_backslash(text_);
    deep_ = duplicate_ = false;

    const Token first = parser_->structural_indexes.get();
    const Token end = event(first, 1, true);
    if (deep_) return whole_is_json() ? COHORTD_JSON_TOO_DEEP : COHORTD_JSON_NOT_JSON;
    if (!end) return COHORTD_JSON_NOT_JSON;
    if (end != first + parser_->n_structural_indexes) {
        fail(COHORTD_JSON_FAULT_TRAILING, end);
        return COHORTD_JSON_NOT_JSON;
    }
    return duplicate_ ? COHORTD_JSON_DUPLICATE_KEY : COHORTD_JSON_DECODED;
}

/// Walks a record of any depth with a stack of its own, and only tells whether it is JSON.
bool Decoder::whole_is_json() {
    Token token = parser_->structural_indexes.get();
    const Token end = token + parser_->n_structural_indexes;
    unescaped_ = unescaped_buffer_.bytes();
    find_backslash(text_);
    std::vector<uint8_t> closers;
    for (;;) {
        // A value is due here.
        const uint8_t byte = text_[*token];
        if (byte == '{' || byte == '[') {
            closers.push_back(byte == '{' ? '}' : ']');
            ++token;
            if (text_[*token] != closers.back()) {
                if (byte == '{' && !(token = key(token))) return false;
                continue;
            }
        }
        // An empty object or array is closed below like a full one.
        const bool empty = byte == '{' || byte == '[';
        if (!empty && !(token = value<false>(token, level_max))) return false;
        for (;;) {
            if (closers.empty()) {
                if (token != end) fail(COHORTD_JSON_FAULT_TRAILING, token);
                return token == end;
            }
            const uint8_t next = text_[*token];
            if (next == closers.back()) {
                closers.pop_back();
                ++token;
                continue;
            }
            if (next != ',') return fail(COHORTD_JSON_FAULT_COMMA, token) != nullptr;
            ++token;
            if (closers.back() == '}' && !(token = key(token))) return false;
            break;
        }
    }
}

/// Over a name and its colon.
Decoder::Token Decoder::key(Token token) {
    cohortd_json_view name;
    if (text_[*token] != '"') return fail(COHORTD_JSON_FAULT_KEY, token);
    token = text(token, name);
    if (!token) return nullptr;
    return text_[*token] == ':' ? token + 1 : fail(COHORTD_JSON_FAULT_COLON, token);
}

const cohortd_json_record *Decoder::element(size_t index) {
    const Element &element = elements_[index];
    begin_event();
    out_ = out_buffer_.bytes();
    unescaped_ = unescaped_buffer_.bytes();
    limit_ = text_ + element.end;
    // Cannot fail: the record was walked as a whole before, in the same way.
    if (by_bytes_) {
        event(Byte(text_ + element.begin), 3, false);
    } else {
        find_backslash(text_ + element.begin);
        event(Token(parser_->structural_indexes.get() + element.token), 3, false);
    }
    end_event();
    return &record_;
}

cohortd_json_view Decoder::element_bytes(size_t index) const {
    const Element &element = elements_[index];
    return {text_ + element.begin, element.end - element.begin};
}

void Decoder::begin_record() {
    record_.fault = COHORTD_JSON_FAULT_NONE;
    record_.position = 0;
    record_.is_batch = false;
    record_.events = COHORTD_JSON_ABSENT;
    record_.element_count = 0;
    elements_.clear();
    begin_event();
}

void Decoder::begin_event() {
    if (record_.event.operation_count > 0) {
        for (auto &members : operation_members_) members.clear();
    }
    // What is behind it is cleared by itself, or stays.
    memset(&record_.event, 0, offsetof(cohortd_json_event, event_values));
    top_.clear();
    event_.clear();
    plain_.clear();
    set_.clear();
    plain_members_.clear();
    set_members_.clear();
}

void Decoder::end_event() {
    cohortd_json_event &event = record_.event;
    event.plain = plain_members_.data();
    event.plain_count = plain_members_.size();
    event.set = set_members_.data();
    event.set_count = set_members_.size();
    if (event.operation_count > 0) {
        for (int at = 0; at < COHORTD_JSON_OPERATION_COUNT; ++at) {
            operations_[at] = {operation_members_[at].data(), operation_members_[at].size()};
        }
    }
}

}  // namespace cohortd
