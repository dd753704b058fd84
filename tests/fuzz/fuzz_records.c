/* Every record from any text: what was read can be printed, and what was printed reads back as the
 * same. */
#include "schema/codec/codec.h"
#include "schema/limits.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const struct record *const records[] = {
    &job_spec_record,        &job_document_record,
    &job_history_record,     &job_status_record,
    &node_desired_record,    &assignment_record,
    &node_state_record,      &presence_record,
    &node_info_record,       &manager_status_record,
    &barrier_record,         &command_envelope_record,
    &scale_arguments_record, &dispatch_arguments_record,
    &job_arguments_record,   &node_arguments_record,
    &reply_record,           &ask_record,
    &answer_record,          &log_chunk_record,
    &cloud_event_record,     &store_meta_record,
    &token_record_record,
};

enum { VALUE_BYTES = 4096 };

static void reads_back(const struct record *record, const struct buf *text)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    _cleanup_buf_ struct buf again = BUF_EMPTY;
    _Alignas(16) char value[VALUE_BYTES];
    if (text->length > LIMIT_PAYLOAD_BYTES) /* printing may need more space than the input had */
        return;
    ASSERT(!codec_decode(record, buf_text(text), text->length, CODEC_STRICT, &arena, value,
                         &problems));
    codec_encode(record, value, &again);
    ASSERT(again.length == text->length && !memcmp(again.data, text->data, text->length));
}

static void try_record(const struct record *record, const char *text, size_t size,
                       enum codec_mode mode)
{
    _cleanup_arena_ struct arena arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES};
    _cleanup_problems_ struct problems problems = {0};
    _cleanup_buf_ struct buf printed = BUF_EMPTY;
    _Alignas(16) char value[VALUE_BYTES];
    ASSERT(record->size <= sizeof value);
    if (codec_decode(record, text, size, mode, &arena, value, &problems)) {
        ASSERT(problems_any(&problems));
        return;
    }
    ASSERT(!problems_any(&problems));
    codec_encode(record, value, &printed);
    reads_back(record, &printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < ARRAY_LENGTH(records); i++) {
        try_record(records[i], (const char *)data, size, CODEC_STRICT);
        try_record(records[i], (const char *)data, size, CODEC_LENIENT);
    }
    _cleanup_arena_ struct arena arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES};
    _cleanup_problems_ struct problems problems = {0};
    struct number_map numbers;
    codec_decode_metrics((const char *)data, size, &arena, &numbers, &problems);
    return 0;
}
