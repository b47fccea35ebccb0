#include "CAllocationCount.h"

#include <errno.h>
#include <stddef.h>

// glibc lets a program have a malloc of its own ("Replacing malloc" of its manual), and has its own under
// these names. Memory that they gave out is freed by its free, which is not replaced.

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#ifndef HAS_SANITIZER

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

// Lies in the program's own block of thread-locals, so that reaching it allocates nothing.
static __thread uint64_t count __attribute__((tls_model("initial-exec")));

void *malloc(size_t size)
{
    count++;
    return __libc_malloc(size);
}

void *calloc(size_t members, size_t size)
{
    count++;
    return __libc_calloc(members, size);
}

void *realloc(void *memory, size_t size)
{
    count++;
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
    count++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0)
        return EINVAL;
    count++;
    void *found = __libc_memalign(alignment, size);
    if (found == NULL) return ENOMEM;
    *memory = found;
    return 0;
}

uint64_t cohortd_allocation_count(void) { return count; }

#else

uint64_t cohortd_allocation_count(void) { return 0; }

#endif
