#define _GNU_SOURCE
#include "CDecompressionLimit.h"

#include <dlfcn.h>
#include <stdatomic.h>

// No header of zlib or LZ4: their libraries are librdkafka's affair, and these few names and forms are what programs
// linked long ago rely on.

// The default of receive.message.max.bytes.
static _Atomic size_t limit = 100 * 1000 * 1000;

void cohortd_set_decompression_limit(size_t bytes)
{
    atomic_store(&limit, bytes);
}

// The function of that name that would be called if there were none here.
static void *next(const char *name, void *_Atomic *known)
{
    void *function = atomic_load_explicit(known, memory_order_acquire);
    if (!function) {
        function = dlsym(RTLD_NEXT, name);
        atomic_store_explicit(known, function, memory_order_release);
    }
    return function;
}

// The beginning of zlib's z_stream.
struct stream {
    const unsigned char *next_in;
    unsigned int avail_in;
    unsigned long total_in;
    unsigned char *next_out;
    unsigned int avail_out;
    unsigned long total_out;
};

enum { stream_error = -2, data_error = -3 };

int inflate(struct stream *stream, int flush)
{
    static void *_Atomic known;
    int (*own)(struct stream *, int) = next("inflate", &known);
    if (!own) return stream_error;
    int status = own(stream, flush);
    if (stream && stream->total_out > atomic_load_explicit(&limit, memory_order_relaxed))
        return data_error;
    return status;
}

// What the frame in hand has turned into. A frame is decompressed by one thread, from its context's making on.
static __thread struct {
    const void *context;
    size_t produced;
} frame;

// The first of LZ4's error codes: sizes near the end of size_t are errors.
static const size_t frame_error = (size_t)-1;

size_t LZ4F_createDecompressionContext(void **context, unsigned int version)
{
    static void *_Atomic known;
    size_t (*own)(void **, unsigned int) = next("LZ4F_createDecompressionContext", &known);
    if (!own) return frame_error;
    size_t status = own(context, version);
    frame.context = context ? *context : NULL;
    frame.produced = 0;
    return status;
}

size_t LZ4F_decompress(
    void *context, void *output, size_t *output_size, const void *input, size_t *input_size,
    const void *options)
{
    static void *_Atomic known;
    size_t (*own)(void *, void *, size_t *, const void *, size_t *, const void *) =
        next("LZ4F_decompress", &known);
    if (!own) return frame_error;
    size_t status = own(context, output, output_size, input, input_size, options);
    if (frame.context != context) {
        frame.context = context;
        frame.produced = 0;
    }
    frame.produced += *output_size;
    if (frame.produced > atomic_load_explicit(&limit, memory_order_relaxed)) return frame_error;
    return status;
}
