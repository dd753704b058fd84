/* Comparing and copying specifications through their encoding, which holds all of a specification.
 */
#include "schema/codec/codec.h"

#include <string.h>

bool job_spec_equal(const struct job_spec *a, const struct job_spec *b)
{
    _cleanup_buf_ struct buf a_text = BUF_EMPTY;
    _cleanup_buf_ struct buf b_text = BUF_EMPTY;
    codec_encode(&job_spec_record, a, &a_text);
    codec_encode(&job_spec_record, b, &b_text);
    return !a_text.failed && !b_text.failed && a_text.length == b_text.length &&
           !memcmp(a_text.data, b_text.data, a_text.length);
}

int job_spec_copy(const struct job_spec *spec, struct arena *arena, struct job_spec *ret_spec)
{
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    codec_encode(&job_spec_record, spec, &text);
    if (text.failed)
        return -ERR_NO_MEMORY;
    return codec_decode(&job_spec_record, buf_text(&text), text.length, CODEC_LENIENT, arena,
                        ret_spec, &problems);
}
