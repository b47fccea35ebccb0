// JSON numbers to integers and doubles, and doubles to canonical decimals.
#ifndef COHORTD_NUMBERS_HPP
#define COHORTD_NUMBERS_HPP

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <system_error>

#include "CSimdJSON.h"

namespace cohortd {

enum class NumberResult { ok, malformed, beyond };

struct Number {
    const uint8_t *end;
    cohortd_json_kind kind;
    int64_t integer;
    double value;
};

inline bool is_digit(uint8_t byte) { return uint8_t(byte - '0') < 10; }

inline bool is_space(uint8_t byte) {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/// What may stand behind a number or a literal. The text is padded with spaces.
inline bool ends_scalar(uint8_t byte) {
    return byte == ',' || byte == '}' || byte == ']' || is_space(byte);
}

/// The nearest double of a literal whose grammar has been checked. Slow and exact.
__attribute__((noinline)) inline NumberResult nearest_double(const uint8_t *start, const uint8_t *end, double &value) {
    auto first = reinterpret_cast<const char *>(start);
    auto last = reinterpret_cast<const char *>(end);
    double parsed = 0;
    auto answer = std::from_chars(first, last, parsed);
    if (answer.ec == std::errc() && answer.ptr == last && !std::isinf(parsed)) {
        value = parsed;
        return NumberResult::ok;
    }
    if (answer.ec != std::errc::result_out_of_range && !std::isinf(parsed)) return NumberResult::malformed;
    // Out of range says neither "too large" nor "too small": the place of the first digit that counts does.
    int64_t place = 0, exponent = 0;
    bool counting = false, fraction = false, negative = false;
    for (const uint8_t *at = start + (*start == '-'); at < end; ++at) {
        if (*at == '.') {
            fraction = true;
        } else if (is_digit(*at)) {
            counting = counting || *at != '0';
            if (counting && !fraction) ++place;
            if (!counting && fraction) --place;
        } else {
            ++at;
            if (*at == '-' || *at == '+') negative = *at++ == '-';
            for (; at < end; ++at) {
                if (exponent < (int64_t(1) << 40)) exponent = exponent * 10 + (*at - '0');
            }
        }
    }
    if (place + (negative ? -exponent : exponent) > 0) return NumberResult::beyond;
    value = 0;
    return NumberResult::ok;
}

/// The number of eight digits, given as bytes from 0 to 9, the first of them lowest: pairs are put together, then
/// fours, then all.
inline uint64_t eight_digits(uint64_t bytes) {
    bytes = (bytes * (1 + (10 << 8))) >> 8 & 0x00ff00ff00ff00ff;
    bytes = (bytes * (1 + (100 << 16))) >> 16 & 0x0000ffff0000ffff;
    return (bytes * (1 + (uint64_t(10'000) << 32))) >> 32;
}

/// Reads the digits at `at`, eight at a time, and with `Convert` puts them behind those of `value`, which wraps
/// beyond 19; behind them there must be seven bytes more. Returns their end.
///
/// How many there are decides no branch but that for more than seven: their number is anyone's guess.
template <bool Convert> inline const uint8_t *digits(const uint8_t *at, uint64_t &value) {
    static const uint64_t shifts[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000};
    for (;; at += 8) {
        uint64_t bytes;
        memcpy(&bytes, at, 8);
        bytes ^= 0x3030303030303030;
        // The high bit of the first byte that is no digit, and of some behind it: up to there nothing carries.
        const uint64_t others = ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080;
        if (others != 0) {
            const int place = __builtin_ctzll(others), count = place >> 3;
            // The last digit to the top, and zeros before the first.
            if constexpr (Convert) value = value * shifts[count] + eight_digits(bytes << (63 - place) << 8);
            return at + count;
        }
        if constexpr (Convert) value = value * 100'000'000 + eight_digits(bytes);
    }
}

/// Reads a number at `start`, which must be followed somewhere by a byte that is no part of a number, and that by
/// seven more. With `Convert` false only tells whether it is one that a double can hold.
template <bool Convert>
__attribute__((always_inline)) inline NumberResult parse_number(const uint8_t *start, Number &number) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const uint8_t *at = start;
    const bool negative = *at == '-';
    at += negative;
    const uint8_t *first = at;
    uint64_t mantissa = 0;  // wraps beyond 19 digits, and is not used then; stays 0 without `Convert`
    at = digits<Convert>(at, mantissa);
    const int64_t whole = at - first;
    if (whole == 0 || (*first == '0' && whole > 1)) return NumberResult::malformed;
    if (*at != '.' && (*at | 0x20) != 'e') {
        if (!ends_scalar(*at)) return NumberResult::malformed;
        number.end = at;
        if (!Convert && whole < 300) return NumberResult::ok;
        if (whole < 19 || (whole == 19 && mantissa <= (uint64_t(1) << 63) - !negative)) {
            number.kind = COHORTD_JSON_INTEGER;
            number.integer = int64_t(negative ? 0 - mantissa : mantissa);
            return NumberResult::ok;
        }
        number.kind = COHORTD_JSON_BIG_INTEGER;
        return nearest_double(start, at, number.value);
    }
    number.kind = COHORTD_JSON_DOUBLE;
    int64_t count = whole, exponent = 0, written = 0;
    if (*at == '.') {
        const uint8_t *fraction = ++at;
        at = digits<Convert>(at, mantissa);
        if (at == fraction) return NumberResult::malformed;
        exponent = fraction - at;
        count += at - fraction;
    }
    if ((*at | 0x20) == 'e') {
        ++at;
        const bool down = *at == '-';
        if (*at == '-' || *at == '+') ++at;
        if (!is_digit(*at)) return NumberResult::malformed;
        do {
            if (written < (int64_t(1) << 40)) written = written * 10 + (*at - '0');
            ++at;
        } while (is_digit(*at));
        if (down) written = -written;
        exponent += written;
    }
    if (!ends_scalar(*at)) return NumberResult::malformed;
    number.end = at;
    if (!Convert && whole + written < 300) return NumberResult::ok;
    NumberResult result = NumberResult::ok;
    // Without `Convert` this is a number of 300 digits or an exponent of hundreds, none of which goes this way.
    // Both factors are exact doubles here, so their one product or quotient is the nearest double
    // (W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990).
    if (count <= 19 && mantissa <= (uint64_t(1) << 53) && exponent >= -22 && exponent <= 22) {
        double value = double(mantissa);
        value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
        number.value = negative ? -value : value;
    } else {
        result = nearest_double(start, at, number.value);
    }
    if (number.value == 0) number.value = 0;  // −0 is 0
    return result;
}

/// Writes the canonical decimal of a finite number.
inline size_t canonical(double number, uint8_t *out) {
    if (number == 0) {
        *out = '0';
        return 1;
    }
    // d.dddde±x, the fewest digits that read back.
    char digits[40];
    auto answer = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::scientific);
    const char *at = digits, *end = answer.ptr;
    uint8_t *start = out;
    if (*at == '-') *out++ = uint8_t(*at++);
    char significant[24];
    int count = 0;
    for (; at < end && *at != 'e'; ++at) {
        if (*at != '.') significant[count++] = *at;
    }
    int exponent = 0;
    if (at < end) {
        ++at;
        const bool down = *at++ == '-';
        for (; at < end; ++at) exponent = exponent * 10 + (*at - '0');
        if (down) exponent = -exponent;
    }
    while (count > 1 && significant[count - 1] == '0') --count;
    const int whole = exponent + 1;  // digits before the point
    if (whole <= 0) {
        *out++ = '0';
        *out++ = '.';
        for (int zero = whole; zero < 0; ++zero) *out++ = '0';
    }
    for (int index = 0; index < count; ++index) {
        if (index == whole && index > 0) *out++ = '.';
        *out++ = uint8_t(significant[index]);
    }
    for (int zero = count; zero < whole; ++zero) *out++ = '0';
    return size_t(out - start);
}

}  // namespace cohortd
#endif
