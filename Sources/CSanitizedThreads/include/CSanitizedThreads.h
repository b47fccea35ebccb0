// Lets ThreadSanitizer see the threads and locks of librdkafka.
//
// Debian's librdkafka uses those of C11 (`thrd_create`, `mtx_lock`, …), which the sanitizer does not know: a thread that
// it did not see begin has no room in its tables, and ends the process at its first allocation. In builds with the
// sanitizer, and only there, these functions are here and call their pthread counterparts, which it does know; the
// types are the same to glibc.
#ifndef COHORTD_SANITIZED_THREADS_H
#define COHORTD_SANITIZED_THREADS_H
#endif
