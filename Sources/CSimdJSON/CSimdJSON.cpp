// The C face of the decoder.

#include "CSimdJSON.h"

#include <new>
#include <string>

#include "Decoder.hpp"

struct cohortd_json_decoder : cohortd::Decoder {
    using cohortd::Decoder::Decoder;
};

cohortd_json_decoder *cohortd_json_create(const char *implementation) {
    const simdjson::implementation *chosen = nullptr;
    if (implementation == nullptr) {
        // The active one is a placeholder until it is first used; the list has the real ones, best first.
        for (const simdjson::implementation *each : simdjson::get_available_implementations()) {
            if (each->supported_by_runtime_system()) {
                chosen = each;
                break;
            }
        }
    } else {
        chosen = simdjson::get_available_implementations()[implementation];
        if (chosen != nullptr && !chosen->supported_by_runtime_system()) chosen = nullptr;
    }
    const bool quick = implementation == nullptr;
    return chosen == nullptr ? nullptr : new (std::nothrow) cohortd_json_decoder(chosen, quick);
}

void cohortd_json_destroy(cohortd_json_decoder *decoder) { delete decoder; }

const char *cohortd_json_implementation(size_t index) {
    const auto &list = simdjson::get_available_implementations();
    return index < list.size() ? list.begin()[index]->name().c_str() : nullptr;
}

void cohortd_json_want(
    cohortd_json_decoder *decoder, const cohortd_json_view *top, size_t top_count,
    const cohortd_json_view *event, size_t event_count, const cohortd_json_view *user, size_t user_count) {
    decoder->want(top, top_count, event, event_count, user, user_count);
}

const cohortd_json_record *cohortd_json_decode(
    cohortd_json_decoder *decoder, const uint8_t *bytes, size_t count) {
    return decoder->decode(bytes, count);
}

const cohortd_json_record *cohortd_json_element(cohortd_json_decoder *decoder, size_t index) {
    return decoder->element(index);
}

cohortd_json_view cohortd_json_element_bytes(const cohortd_json_decoder *decoder, size_t index) {
    return decoder->element_bytes(index);
}

bool cohortd_json_number(const uint8_t *bytes, size_t count, cohortd_json_field *field) {
    // The reader wants a byte behind the number that is none of it, and reads eight at a time.
    char few[72] = {};
    std::string many;
    const uint8_t *start;
    if (count < 64) {
        memcpy(few, bytes, count);
        few[count] = ' ';
        start = reinterpret_cast<const uint8_t *>(few);
    } else {
        many.assign(reinterpret_cast<const char *>(bytes), count);
        many.append(8, ' ');
        start = reinterpret_cast<const uint8_t *>(many.data());
    }
    cohortd::Number number{};
    if (cohortd::parse_number<true>(start, number) != cohortd::NumberResult::ok) return false;
    if (number.end != start + count) return false;
    *field = {number.kind, {bytes, count}, number.integer, number.value};
    return true;
}

size_t cohortd_json_canonical(double number, uint8_t *bytes) { return cohortd::canonical(number, bytes); }
