/* Job files, YAML or JSON: whatever they hold, every document is JSON that the codec can judge,
 * and every problem has a place in the file. */
#include "cli/job_file.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/limits.h"
#include "tests/fuzz/fuzz.h"

static void check_place(const struct job_file *file, struct place place)
{
    size_t length;
    ASSERT(place.line == 0 || place.column >= 1);
    if (place.line > 0)
        job_file_line(file, place.line, &length);
}

static void check_document(const struct job_file *file, size_t index)
{
    _cleanup_arena_ struct arena arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES};
    _cleanup_problems_ struct problems problems = {0};
    struct command_envelope envelope;
    struct job_spec spec;
    size_t length;
    const char *json = job_file_json(file, index, &length);
    codec_decode_set(json, length, NULL, &arena, &envelope, &spec, &problems);
    for (size_t i = 0; i < problems.count; i++) {
        check_place(file, job_file_place(file, index, problems.items[i].path, false));
        check_place(file, job_file_place(file, index, problems.items[i].path, true));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"job.yaml", "job.json"};
    for (size_t name = 0; name < ARRAY_LENGTH(names); name++) {
        struct job_file *file = job_file_parse(names[name], (const char *)data, size);
        for (size_t i = 0; i < job_file_count(file); i++)
            check_document(file, i);
        for (size_t i = 0; i < job_file_error_count(file); i++) {
            struct place place;
            job_file_error(file, i, &place);
            check_place(file, place);
        }
        job_file_free(file);
    }
    return 0;
}
