// What the members of an object are usually called, and in which order.
#ifndef COHORTD_SHAPES_HPP
#define COHORTD_SHAPES_HPP

#include <cstdint>
#include <cstring>
#include <vector>

#include "Lanes.hpp"
#include "Names.hpp"

namespace cohortd {

/// The beginnings of objects seen at one place of a record, as a tree: a way down from the root is a sequence of
/// names. A producer writes the same names in the same order, so most objects go down a known way, which costs
/// a comparison a name: no hash, no table, no search for a name that is there twice.
///
///   root ─ {"user_id": ─ ,"event_type": ┬ ,"time": ─ ,"event_properties":
///                                       └ ,"insert_id": ─ ,"time":
///
/// Invariants, whatever became of the records that the tree was learnt from:
/// - No name is on a way twice.
/// - The bytes of a step are an opening brace or a comma, a name in ASCII without escapes, a colon, and white
///   space anywhere between these.
class Shapes {
  public:
    /// One name behind those before it.
    struct alignas(64) Step {
        uint8_t bytes[32];
        // A bit for each of these bytes that is not compared, in each half.
        uint16_t beyond_low, beyond_high;
        int32_t index;  // of the name among those that are wanted
        uint32_t name_hash;
        uint16_t first_next, sibling, before;
        uint8_t count, name_begin, name_count;
        uint8_t next_count;

        bool matches(const uint8_t *at) const {
            if ((Lanes(at).equal(Lanes(bytes)) | beyond_low) != 0xffff) return false;
            return count <= 16 || (Lanes(at + 16).equal(Lanes(bytes + 16)) | beyond_high) == 0xffff;
        }
    };
    static_assert(sizeof(Step) == 64, "a step is a cache line");

    /// Trees side by side, of `steps_max` steps together.
    explicit Shapes(size_t trees = 1, size_t steps_max = 1024) : trees_(trees), steps_max_(steps_max) { clear(); }

    void clear() {
        steps_.assign(trees_, Step{});
        misses_ = 0;
    }

    size_t trees() const { return trees_; }
    const Step *root(size_t tree) const { return &steps_[tree]; }
    bool is_root(const Step *step) const { return step < steps_.data() + trees_; }
    const Step *before(const Step *step) const { return &steps_[step->before]; }

    /// The step that the bytes at `at` take from `step`; null where it is none that is known.
    /// Thirty-two bytes from `at` on must be readable.
    const Step *next(const Step *step, const uint8_t *at) const {
        for (uint32_t each = step->first_next; each != 0; each = steps_[each].sibling) {
            if (steps_[each].matches(at)) return &steps_[each];
        }
        return nullptr;
    }

    /// Remembers that `name`, which is not on the way to `step`, came behind it; `from` is the brace or comma
    /// before it, `to` the value. Steps given out before are no longer valid.
    void learn(const Step *step, const uint8_t *from, const uint8_t *to, const Name &name, int32_t index) {
        const size_t count = size_t(to - from);
        if (count > sizeof step->bytes || name.base < from || name.base >= to) return;
        const uint32_t beyond = count == 32 ? 0 : ~uint32_t(0) << count;
        if ((Lanes(from).high() | Lanes(from + 16).high() << 16) & ~beyond) return;
        if (step->next_count == next_count_max || steps_.size() == steps_max_) {
            // What comes now is not what came when the tree grew.
            if (++misses_ == misses_max) clear();
            return;
        }
        Step added{};
        memcpy(added.bytes, from, count);
        added.beyond_low = uint16_t(beyond);
        added.beyond_high = uint16_t(beyond >> 16);
        added.index = index;
        added.name_hash = name.hash;
        added.before = uint16_t(step - steps_.data());
        added.count = uint8_t(count);
        added.name_begin = uint8_t(name.base - from);
        added.name_count = uint8_t(name.count);
        // Behind the others: what was learnt first is what comes most often.
        const uint16_t place = uint16_t(steps_.size());
        uint16_t *link = &steps_[added.before].first_next;
        while (*link != 0) link = &steps_[*link].sibling;
        *link = place;
        ++steps_[added.before].next_count;
        steps_.push_back(added);
    }

  private:
    /// How many steps are tried for one name: a record must not cost more where names are never the same.
    static constexpr uint8_t next_count_max = 8;
    /// How many names for which there was no room make room.
    static constexpr uint32_t misses_max = 1024;
    // No step is a root's next or sibling, so 0 says that there is none.
    const size_t trees_;
    const size_t steps_max_;

    std::vector<Step> steps_;
    uint32_t misses_ = 0;
};

/// Where in a record an object is: what is wanted of its members, and what they usually are.
struct Place {
    const NameTable *wanted = nullptr;
    Shapes shapes;
    size_t tree = 0;  // where the next object begins

    int32_t find(const Name &name) const { return wanted == nullptr ? -1 : wanted->find(name); }
};

}  // namespace cohortd
#endif
