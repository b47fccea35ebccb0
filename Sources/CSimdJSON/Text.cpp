// Texts with escapes.

#include "Walk.hpp"

namespace cohortd {

/// Four hexadecimal digits, or −1.
static int32_t hex4(const uint8_t *at) {
    int32_t value = 0;
    for (int index = 0; index < 4; ++index) {
        const uint8_t byte = at[index];
        int32_t digit;
        if (is_digit(byte)) {
            digit = byte - '0';
        } else if (uint8_t((byte | 0x20) - 'a') < 6) {
            digit = (byte | 0x20) - 'a' + 10;
        } else {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static uint8_t *put_scalar(uint8_t *out, uint32_t scalar) {
    if (scalar < 0x80) {
        *out++ = uint8_t(scalar);
    } else if (scalar < 0x800) {
        *out++ = uint8_t(0xc0 | scalar >> 6);
        *out++ = uint8_t(0x80 | (scalar & 0x3f));
    } else if (scalar < 0x10000) {
        *out++ = uint8_t(0xe0 | scalar >> 12);
        *out++ = uint8_t(0x80 | (scalar >> 6 & 0x3f));
        *out++ = uint8_t(0x80 | (scalar & 0x3f));
    } else {
        *out++ = uint8_t(0xf0 | scalar >> 18);
        *out++ = uint8_t(0x80 | (scalar >> 12 & 0x3f));
        *out++ = uint8_t(0x80 | (scalar >> 6 & 0x3f));
        *out++ = uint8_t(0x80 | (scalar & 0x3f));
    }
    return out;
}

/// Over a text with something special in it, the first of that at `special`.
Decoder::Byte Decoder::special_text(Byte begin, Byte special, cohortd_json_view &view) {
    Byte escape = nullptr, at = special;
    for (;;) {
        if (*at == '\\') {
            // What follows it is looked at below; behind the record that is no quote.
            if (escape == nullptr) escape = at;
            at += 2;
        } else if (*at == '"') {
            break;
        } else if (*at < ' ') {
            return nullptr;
        }
        for (;; at += 16) {
            const Lanes lanes(at);
            // It may lie behind the text, which costs a look at the whole record at worst.
            has_high_ |= lanes.high() != 0;
            const uint32_t stops = lanes.not_text();
            if (stops == 0) continue;
            at += __builtin_ctz(stops);
            break;
        }
    }
    if (escape == nullptr) {
        view = {begin, size_t(at - begin)};
        return at + 1;
    }
    return unescape(begin, escape, at, view) == nullptr ? at + 1 : nullptr;
}

/// Writes the text between the quotes without its escapes, the first of which is at `first`. Returns the escape
/// that is none, else null.
///
/// A text without escapes is never longer than with them, so all of a record's fit a buffer of its size.
const uint8_t *Decoder::unescape(
    const uint8_t *begin, const uint8_t *first, const uint8_t *end, cohortd_json_view &view) {
    uint8_t *out = unescaped_;
    const uint8_t *at = begin;
    for (const uint8_t *next = first; next != nullptr;) {
        memcpy(out, at, size_t(next - at));
        out += next - at;
        at = next + 1;
        uint8_t byte = 0;
        // The closing quote is no byte of an escape, so one byte at least follows the backslash.
        switch (*at) {
        case '"': case '\\': case '/': byte = *at; break;
        case 'b': byte = '\b'; break;
        case 'f': byte = '\f'; break;
        case 'n': byte = '\n'; break;
        case 'r': byte = '\r'; break;
        case 't': byte = '\t'; break;
        case 'u': break;
        default: return next;
        }
        if (byte != 0) {
            *out++ = byte;
            ++at;
        } else {
            // Behind the text there is a quote, which is no hexadecimal digit, and the padding.
            int32_t unit = hex4(at + 1);
            at += 5;
            if (unit >= 0xd800 && unit < 0xdc00) {
                const int32_t low = at[0] == '\\' && at[1] == 'u' ? hex4(at + 2) : -1;
                unit = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : -1;
                at += 6;
            } else if (unit >= 0xdc00 && unit < 0xe000) {
                unit = -1;
            }
            if (unit < 0) return next;
            out = put_scalar(out, uint32_t(unit));
        }
        next = static_cast<const uint8_t *>(memchr(at, '\\', size_t(end - at)));
    }
    memcpy(out, at, size_t(end - at));
    out += end - at;
    view = {unescaped_, size_t(out - unescaped_)};
    unescaped_ = out;
    return nullptr;
}

}  // namespace cohortd
