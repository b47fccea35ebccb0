// Sixteen bytes at a time, one bit for each.
#ifndef COHORTD_LANES_HPP
#define COHORTD_LANES_HPP

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace cohortd {

/// Sixteen bytes from anywhere; bit n of an answer is about byte n.
class Lanes {
  public:
#if defined(__SSE2__)
    explicit Lanes(const uint8_t *at) : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i *>(at))) {}

    uint32_t equal(const Lanes &other) const { return mask(_mm_cmpeq_epi8(bytes_, other.bytes_)); }

    /// Which are beyond ASCII.
    uint32_t high() const { return mask(bytes_); }

    /// Which end a text, or are no plain part of it: quotes, backslashes, control characters, beyond ASCII.
    uint32_t not_plain() const {
        // As signed numbers all beyond ASCII are below a space, as the control characters are.
        const __m128i low = _mm_cmpgt_epi8(_mm_set1_epi8(' '), bytes_);
        return mask(_mm_or_si128(low, quotes_and_backslashes()));
    }

    /// The same without what is beyond ASCII.
    uint32_t not_text() const {
        const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes_, _mm_set1_epi8(0x1f)), bytes_);
        return mask(_mm_or_si128(control, quotes_and_backslashes()));
    }

  private:
    static uint32_t mask(__m128i lanes) { return uint32_t(_mm_movemask_epi8(lanes)); }

    __m128i quotes_and_backslashes() const {
        return _mm_or_si128(
            _mm_cmpeq_epi8(bytes_, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes_, _mm_set1_epi8('\\')));
    }

    __m128i bytes_;
#else
    explicit Lanes(const uint8_t *at) { memcpy(bytes_, at, sizeof bytes_); }

    uint32_t equal(const Lanes &other) const {
        return mask([&](int lane) { return bytes_[lane] == other.bytes_[lane]; });
    }
    uint32_t high() const {
        return mask([&](int lane) { return bytes_[lane] >= 0x80; });
    }
    uint32_t not_plain() const { return high() | not_text(); }
    uint32_t not_text() const {
        return mask([&](int lane) {
            return bytes_[lane] == '"' || bytes_[lane] == '\\' || bytes_[lane] < ' ';
        });
    }

  private:
    template <typename Test> static uint32_t mask(Test test) {
        uint32_t bits = 0;
        for (int lane = 0; lane < 16; ++lane) bits |= uint32_t(test(lane)) << lane;
        return bits;
    }

    uint8_t bytes_[16];
#endif
};

}  // namespace cohortd
#endif
