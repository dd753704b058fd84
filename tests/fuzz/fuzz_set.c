/* A user's `set`: what is accepted, published and submitted again is the same job. */
#include "schema/codec/codec.h"
#include "schema/limits.h"
#include "schema/record.h"
#include "tests/fuzz/fuzz.h"

static void submit_again(const struct job_spec *spec)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    struct command_envelope envelope;
    struct job_spec again;
    codec_encode(&job_spec_record, spec, &text);
    ASSERT(text.length <= LIMIT_JOB_SPEC_BYTES);
    ASSERT(!codec_decode_set(buf_text(&text), text.length, spec->name, &arena, &envelope, &again,
                             &problems));
    ASSERT(record_equal(&job_spec_record, spec, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ struct arena arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES};
    _cleanup_problems_ struct problems problems = {0};
    struct command_envelope envelope;
    struct job_spec spec;
    int result =
        codec_decode_set((const char *)data, size, "web", &arena, &envelope, &spec, &problems);
    ASSERT(!result == !problems_any(&problems));
    if (!result)
        submit_again(&spec);
    return 0;
}
