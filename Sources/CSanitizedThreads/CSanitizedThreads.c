#include "CSanitizedThreads.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

static int answer(int error)
{
    switch (error) {
    case 0: return thrd_success;
    case EBUSY: return thrd_busy;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    default: return thrd_error;
    }
}

static pthread_mutex_t *mutex(mtx_t *lock) { return (pthread_mutex_t *)lock; }

static pthread_cond_t *condition(cnd_t *signal) { return (pthread_cond_t *)signal; }

struct start {
    thrd_start_t function;
    void *argument;
};

static void *run(void *memory)
{
    struct start start = *(struct start *)memory;
    free(memory);
    return (void *)(intptr_t)start.function(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct start *start = malloc(sizeof *start);
    if (start == NULL) return thrd_nomem;
    *start = (struct start){function, argument};
    int error = pthread_create(thread, NULL, run, start);
    if (error != 0) free(start);
    return error == EAGAIN ? thrd_nomem : answer(error);
}

int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int error = pthread_join(thread, &value);
    if (error == 0 && result != NULL) *result = (int)(intptr_t)value;
    return answer(error);
}

int mtx_lock(mtx_t *lock) { return answer(pthread_mutex_lock(mutex(lock))); }

int mtx_unlock(mtx_t *lock) { return answer(pthread_mutex_unlock(mutex(lock))); }

int cnd_wait(cnd_t *signal, mtx_t *lock)
{
    return answer(pthread_cond_wait(condition(signal), mutex(lock)));
}

int cnd_timedwait(cnd_t *restrict signal, mtx_t *restrict lock, const struct timespec *restrict end)
{
    return answer(pthread_cond_timedwait(condition(signal), mutex(lock), end));
}

int cnd_signal(cnd_t *signal) { return answer(pthread_cond_signal(condition(signal))); }

int cnd_broadcast(cnd_t *signal) { return answer(pthread_cond_broadcast(condition(signal))); }

#endif
#endif
