// Instructions and a system call that Swift has no name for. No library stands behind this module.
#ifndef COHORTD_CPROCESSOR_SHIM_H
#define COHORTD_CPROCESSOR_SHIM_H

#include <linux/mman.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// Moves mapped pages to `target`, in the place of what is there, with `more` bytes instead of `bytes`; true if it did.
static inline int cohortd_move_pages(void *pages, size_t bytes, void *target, size_t more)
{
    return syscall(SYS_mremap, pages, bytes, more, MREMAP_MAYMOVE | MREMAP_FIXED, target) == (long)target;
}

#if defined(__x86_64__)

// Whether the processor has the CRC-32C instruction (SSE 4.2: every one since 2011, but not in the baseline).
static inline int cohortd_has_crc32c(void) { return __builtin_cpu_supports("sse4.2") != 0; }

// Updates a CRC-32C register (not inverted) with `count` bytes.
__attribute__((target("sse4.2"))) static inline uint32_t cohortd_crc32c(
    uint32_t state, const uint8_t *bytes, size_t count)
{
    uint64_t wide = state;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    state = (uint32_t)wide;
    for (; count > 0; bytes++, count--) state = __builtin_ia32_crc32qi(state, *bytes);
    return state;
}

#else

static inline int cohortd_has_crc32c(void) { return 0; }

static inline uint32_t cohortd_crc32c(uint32_t state, const uint8_t *bytes, size_t count)
{
    (void)bytes;
    (void)count;
    return state;
}

#endif
#endif
