// One event: its own fields, the wanted properties, and everything it says about its user.

#include "TopNames.hpp"
#include "Walk.hpp"

namespace cohortd {

static bool is_text(const Name &name, const char *text) {
    return name.count == strlen(text) && memcmp(name.base, text, name.count) == 0;
}

/// The property operation other than `$set`, −1 for any other name: that is a property, `$` or not.
static int operation_of(const Name &name) {
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

Decoder::Cursor Decoder::event(Cursor token, unsigned level, bool is_record) {
    cohortd_json_event &event = record_.event;
    event.kind = kind_of(text_[*token]);
    if (event.kind != COHORTD_JSON_OBJECT) return value<false>(token, level);
    const unsigned inner = level + 1;
    return object(token, level, [&](const Name &name, Cursor member) -> Cursor {
        const int32_t index = top_names_.find(name);
        switch (Top(index)) {
        case Top::user_id: return field(member, inner, event.user_id);
        case Top::device_id: return field(member, inner, event.device_id);
        case Top::event_type: return field(member, inner, event.event_type);
        case Top::insert_id: return field(member, inner, event.insert_id);
        case Top::time: return field(member, inner, event.time);
        case Top::event_time: return field(member, inner, event.event_time);
        case Top::export_insert_id: return field(member, inner, event.export_insert_id);
        case Top::server_received_time: return field(member, inner, event.server_received_time);
        case Top::event_properties: return event_properties(member, inner);
        case Top::user_properties: return user_properties(member, inner);
        case Top::events: return is_record ? events(member, inner) : value<false>(member, inner);
        }
        if (index < 0) return value<false>(member, inner);
        cohortd_json_view view;
        member = encoded(member, inner, view);
        top_.put(size_t(index - top_name_count), view);
        return member;
    });
}

Decoder::Cursor Decoder::field(Cursor token, unsigned level, cohortd_json_field &field) {
    const uint32_t at = *token;
    field.kind = kind_of(text_[at]);
    if (field.kind == COHORTD_JSON_TEXT) return text(token, field.text) ? token + 1 : nullptr;
    if (field.kind != COHORTD_JSON_DOUBLE) return value<false>(token, level);
    Number parsed{};
    const uint8_t first = text_[at];
    if (first != '-' && !is_digit(first)) return fail(COHORTD_JSON_FAULT_VALUE, at);
    if (!number<true>(at, parsed)) return nullptr;
    field.kind = parsed.kind;
    field.integer = parsed.integer;
    field.number = parsed.value;
    field.text = {text_ + at, size_t(parsed.end - text_) - at};
    return token + 1;
}

Decoder::Cursor Decoder::event_properties(Cursor token, unsigned level) {
    cohortd_json_kind &kind = record_.event.event_properties;
    kind = kind_of(text_[*token]);
    if (kind != COHORTD_JSON_OBJECT) return value<false>(token, level);
    return object(token, level, [&](const Name &name, Cursor member) -> Cursor {
        const int32_t index = event_names_.find(name);
        if (index < 0) return value<false>(member, level + 1);
        cohortd_json_view view;
        member = encoded(member, level + 1, view);
        event_.put(size_t(index), view);
        return member;
    });
}

Decoder::Cursor Decoder::user_properties(Cursor token, unsigned level) {
    cohortd_json_event &event = record_.event;
    event.user_properties = kind_of(text_[*token]);
    if (event.user_properties != COHORTD_JSON_OBJECT) return value<false>(token, level);
    return object(token, level, [&](const Name &name, Cursor member) -> Cursor {
        if (name.count > 0 && name.base[0] == '$') {
            if (is_text(name, "$set")) {
                if (text_[*member] == '{') return set_properties(member, level + 1);
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
        plain_members_.push_back({{name.base, name.count}, view});
        const int32_t index = user_names_.find(name);
        if (index >= 0) plain_.put(size_t(index), view);
        return member;
    });
}

Decoder::Cursor Decoder::set_properties(Cursor token, unsigned level) {
    return object(token, level, [&](const Name &name, Cursor member) -> Cursor {
        cohortd_json_view view;
        member = encoded(member, level + 1, view);
        set_members_.push_back({{name.base, name.count}, view});
        const int32_t index = user_names_.find(name);
        if (index >= 0) set_.put(size_t(index), view);
        return member;
    });
}

/// Over the value of an operation other than `$set`.
Decoder::Cursor Decoder::operation(cohortd_json_operation operation, Cursor token, unsigned level) {
    const uint8_t first = text_[*token];
    if (operation == COHORTD_JSON_CLEAR_ALL) {
        put_operation(operation, {{text_, 0}, null_value()});
        return value<false>(token, level);
    }
    if (operation == COHORTD_JSON_UNSET && first == '[') return unset_names(token, level);
    if (first != '{') {
        ++record_.event.ignored_operations;
        return value<false>(token, level);
    }
    return object(token, level, [&](const Name &name, Cursor member) -> Cursor {
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
        put_operation(operation, {{name.base, name.count}, view});
        return member;
    });
}

/// Over the list of names of an `$unset`; what is no text names nothing.
Decoder::Cursor Decoder::unset_names(Cursor token, unsigned level) {
    return array(token, level, [&](Cursor element) -> Cursor {
        if (text_[*element] != '"') {
            ++record_.event.ignored_operations;
            return value<false>(element, level + 1);
        }
        cohortd_json_view name;
        if (!text(element, name)) return nullptr;
        put_operation(COHORTD_JSON_UNSET, {name, null_value()});
        return element + 1;
    });
}

/// Over the `events` of a record, noting where each begins.
Decoder::Cursor Decoder::events(Cursor token, unsigned level) {
    record_.events = kind_of(text_[*token]);
    record_.is_batch = record_.events != COHORTD_JSON_NULL;
    elements_.clear();
    if (record_.events != COHORTD_JSON_ARRAY) return value<false>(token, level);
    if (text_[*++token] == ']') return token + 1;
    const Cursor first = parser_->structural_indexes.get();
    for (;;) {
        Element element{uint32_t(token - first), *token, 0};
        token = value<false>(token, level + 1);
        if (!token) return nullptr;
        element.end = *token;
        while (is_space(text_[element.end - 1])) --element.end;
        elements_.push_back(element);
        const uint8_t next = text_[*token++];
        if (next == ',') continue;
        if (next != ']') return fail(COHORTD_JSON_FAULT_COMMA, token[-1]);
        record_.element_count = elements_.size();
        return token;
    }
}

}  // namespace cohortd
