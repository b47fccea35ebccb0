// Bounds what the compressed batches of Kafka turn into.
//
// librdkafka gives a gzip or LZ4 batch as much memory as its bytes ask for: a gibibyte for one of a mebibyte, which
// any producer may send. (Of zstd it takes no more than receive.message.max.bytes, and snappy cannot grow much.) It
// calls the libraries of Debian, and a program's own functions come before those of libraries; so those that
// decompress are here, call the libraries' own, and report damage when a stream has grown beyond the limit. The
// client then does what it does about any batch that cannot be read.
#ifndef COHORTD_DECOMPRESSION_LIMIT_H
#define COHORTD_DECOMPRESSION_LIMIT_H

#include <stddef.h>

// Sets how many bytes one stream of gzip or one LZ4 frame may turn into, in the whole process; 100,000,000 until then.
void cohortd_set_decompression_limit(size_t bytes);

#endif
