/* What passes the gate is the tree that cJSON makes of it; what our printer writes passes the gate.
 */
#include "schema/codec/codec.h"
#include "schema/codec/gate.h"
#include "schema/limits.h"
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>
#include <string.h>

static void printed_text_passes(const char *text, size_t length)
{
    _cleanup_problems_ struct problems problems = {0};
    _cleanup_tree_ struct tree tree = {0};
    _cleanup_buf_ struct buf object = BUF_EMPTY;
    buf_add_text(&object, "{\"a\":");
    json_add_string(&object, text, length);
    buf_add_char(&object, '}');
    ASSERT(object.length > LIMIT_PAYLOAD_BYTES ||
           !gate_read(buf_text(&object), object.length, &problems, &tree));
}

static bool texts_equal(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* To the bit: -0 is not 0. */
static void nodes_are_the_same(const cJSON *a, const cJSON *b)
{
    ASSERT(a->type == b->type && texts_equal(a->string, b->string) &&
           texts_equal(a->valuestring, b->valuestring) &&
           !memcmp(&a->valuedouble, &b->valuedouble, sizeof a->valuedouble));
    ASSERT(!a->child == !b->child && !a->next == !b->next);
    ASSERT(!a->next || a->next->prev == a);
    ASSERT(!a->child || !a->child->prev->next);
    if (a->child)
        nodes_are_the_same(a->child, b->child);
    if (a->next)
        nodes_are_the_same(a->next, b->next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    _cleanup_problems_ struct problems problems = {0};
    _cleanup_tree_ struct tree tree = {0};
    printed_text_passes(text, size);
    if (gate_read(text, size, &problems, &tree)) {
        ASSERT(problems.count == 1);
        return 0;
    }
    ASSERT(!problems_any(&problems));
    cJSON *other = cJSON_ParseWithLength(text, size);
    ASSERT(cJSON_IsObject(other));
    nodes_are_the_same(tree.root, other);
    cJSON_Delete(other);
    return 0;
}
