/* What passes the gate, cJSON reads too; what our printer writes passes the gate. */
#include "schema/codec/codec.h"
#include "schema/codec/gate.h"
#include "schema/limits.h"
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>

static void printed_text_passes(const char *text, size_t length)
{
    _cleanup_problems_ struct problems problems = {0};
    _cleanup_buf_ struct buf object = BUF_EMPTY;
    buf_add_text(&object, "{\"a\":");
    json_add_string(&object, text, length);
    buf_add_char(&object, '}');
    ASSERT(object.length > LIMIT_PAYLOAD_BYTES ||
           !gate_check(buf_text(&object), object.length, &problems));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    _cleanup_problems_ struct problems problems = {0};
    printed_text_passes(text, size);
    if (gate_check(text, size, &problems)) {
        ASSERT(problems.count == 1);
        return 0;
    }
    ASSERT(!problems_any(&problems));
    cJSON *tree = cJSON_ParseWithLength(text, size);
    ASSERT(cJSON_IsObject(tree));
    cJSON_Delete(tree);
    return 0;
}
