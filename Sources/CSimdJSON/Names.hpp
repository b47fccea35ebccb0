// Names of members: a hash that is cheap on short names, a table of wanted names, and the search for a name
// that is there twice.
#ifndef COHORTD_NAMES_HPP
#define COHORTD_NAMES_HPP

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "CSimdJSON.h"

namespace cohortd {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "encoded values are little-endian");

inline uint64_t load64(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

/// A name with its hash. Up to 16 bytes `low`, `high` and the count say everything about its bytes.
struct Name {
    const uint8_t *base;
    uint32_t count;
    uint32_t hash;
    uint64_t low, high;

    /// Eight bytes from `base` on must be readable, whatever the count.
    Name(const uint8_t *bytes, size_t size) : base(bytes), count(uint32_t(size)) {
        // Without branches: lengths are what a processor guesses worst.
        static const uint64_t masks[9] = {
            0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, ~uint64_t(0),
        };
        const size_t few = size < 8 ? size : 8;
        low = load64(bytes) & masks[few];
        high = load64(bytes + (size - few)) & masks[few];
        // Names that agree in count and both ends share a hash; nothing below relies on their differing.
        auto product = (unsigned __int128)(low ^ 0xa0761d6478bd642full) *
                       (unsigned __int128)(high ^ 0xe7037ed1a0b428dbull ^ (uint64_t(count) << 32));
        uint64_t folded = uint64_t(product) ^ uint64_t(product >> 64);
        hash = uint32_t(folded ^ (folded >> 32));
    }

    bool same(const Name &other) const {
        return low == other.low && high == other.high && count == other.count &&
               (count <= 16 || memcmp(base, other.base, count) == 0);
    }
};

/// Wanted names to their indices: open addressing, at most a quarter full.
class NameTable {
  public:
    void fill(const cohortd_json_view *names, size_t count) {
        size_t size = 4;
        while (size < 4 * count) size *= 2;
        mask_ = uint32_t(size - 1);
        slots_.assign(size, Slot{Name(padding_, 0), -1});
        texts_.clear();
        texts_.reserve(count);
        for (size_t index = 0; index < count; ++index) {
            std::string text(reinterpret_cast<const char *>(names[index].base), names[index].count);
            text.append(8, '\0');
            texts_.push_back(std::move(text));
            Name name(reinterpret_cast<const uint8_t *>(texts_.back().data()), names[index].count);
            uint32_t at = name.hash & mask_;
            while (slots_[at].index >= 0) at = (at + 1) & mask_;
            slots_[at] = Slot{name, int32_t(index)};
        }
    }

    /// The index of the name, −1 where it is not wanted.
    int32_t find(const Name &name) const {
        for (uint32_t at = name.hash & mask_;; at = (at + 1) & mask_) {
            const Slot &slot = slots_[at];
            if (slot.index < 0 || slot.name.same(name)) return slot.index;
        }
    }

  private:
    struct Slot {
        Name name;
        int32_t index;
    };
    static inline const uint8_t padding_[8] = {0};
    uint32_t mask_ = 0;
    std::vector<Slot> slots_{Slot{Name(padding_, 0), -1}};
    std::vector<std::string> texts_;  // their bytes do not move: reserved before they are pointed at
};

/// The names of the objects that are open, innermost last.
class NameStack {
  public:
    /// One open object.
    struct Frame {
        size_t base;
        uint64_t seen = 0;  // one bit per name, by its hash
    };

    void clear() { entries_.clear(); }

    Frame open() const { return Frame{entries_.size()}; }

    /// Adds a name that is not in the innermost object; its bytes must stay as long as that is open.
    void push(Frame &frame, const uint8_t *base, uint32_t count, uint32_t hash) {
        frame.seen |= bit(hash);
        entries_.push_back(Entry{base, count, hash});
    }

    /// Adds a name to the innermost object; false where it is there already and has been noticed.
    bool add(Frame &frame, const Name &name) {
        bool fresh = true;
        if ((frame.seen & bit(name.hash)) && entries_.size() - frame.base < few) {
            for (size_t at = frame.base; at < entries_.size() && fresh; ++at) {
                const Entry &entry = entries_[at];
                fresh = entry.hash != name.hash || entry.count != name.count ||
                        memcmp(entry.base, name.base, name.count) != 0;
            }
        }
        push(frame, name.base, name.count, name.hash);
        return fresh;
    }

    /// Closes the innermost object; the first name found twice among many, else an empty entry.
    cohortd_json_view close(const Frame &frame) {
        cohortd_json_view twice{nullptr, 0};
        if (entries_.size() - frame.base > few) twice = search(frame.base);
        entries_.resize(frame.base);
        return twice;
    }

  private:
    struct Entry {
        const uint8_t *base = nullptr;
        uint32_t count = 0, hash = 0;
    };
    static uint64_t bit(uint32_t hash) { return uint64_t(1) << (hash >> 26); }

    /// Up to here each new name is compared with the others of its hash; an object with more is sorted
    /// once, when it closes, which no choice of names makes worse than n log n.
    static constexpr size_t few = 32;

    cohortd_json_view search(size_t base) {
        auto order = [](const Entry &left, const Entry &right) {
            if (left.hash != right.hash) return left.hash < right.hash;
            if (left.count != right.count) return left.count < right.count;
            return memcmp(left.base, right.base, left.count) < 0;
        };
        std::sort(entries_.begin() + ptrdiff_t(base), entries_.end(), order);
        for (size_t at = base + 1; at < entries_.size(); ++at) {
            const Entry &left = entries_[at - 1], &right = entries_[at];
            if (left.hash == right.hash && left.count == right.count &&
                memcmp(left.base, right.base, left.count) == 0) {
                return cohortd_json_view{left.base, left.count};
            }
        }
        return cohortd_json_view{nullptr, 0};
    }

    std::vector<Entry> entries_;
};

}  // namespace cohortd
#endif
