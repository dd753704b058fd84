/* Topics, attempt names, reply topics: what is read is written again as it was. */
#include "schema/topics.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void try_topic(const char *text)
{
    struct topic topic;
    char again[LIMIT_TOPIC_LENGTH + 1];
    if (!topic_parse(text, &topic))
        return;
    topic_format(again, topic.kind, topic.level[0], topic.level[1]);
    ASSERT(!strcmp(again, text));
}

static void try_attempt_name(const char *text)
{
    struct attempt_name name;
    char again[LIMIT_TASK_ID_LENGTH + 1];
    if (!attempt_name_parse(text, &name))
        return;
    attempt_name_format(again, &name);
    ASSERT(!strcmp(again, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = fuzz_text(data, size);
    try_topic(text);
    try_attempt_name(text);
    root_is_valid(text);
    const char *reply = reply_topic_permitted(ARGOSY_ROOT_DEFAULT, text);
    ASSERT(!reply || !strncmp(reply, "replies/", 8));
    return 0;
}
