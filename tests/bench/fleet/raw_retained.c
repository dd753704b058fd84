/* What is retained, read and written as fast as the broker goes: the references for recovery and
 * for refilling a broker. */
#include "tests/bench/fleet/raw_verbs.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 1000, TOGETHER = 64 };

void raw_file_put(FILE *file, const struct raw_message *message)
{
    uint32_t lengths[2] = {(uint32_t)message->topic_length, (uint32_t)message->length};
    fwrite(lengths, sizeof lengths, 1, file);
    fwrite(message->topic, message->topic_length, 1, file);
    fwrite(message->payload, message->length, 1, file);
}

bool raw_file_get(FILE *file, char topic[RAW_TOPIC_BYTES], struct raw_bytes *payload)
{
    uint32_t lengths[2];
    if (fread(lengths, sizeof lengths, 1, file) != 1 || lengths[0] >= RAW_TOPIC_BYTES)
        return false;
    if (payload->capacity < lengths[1]) {
        payload->capacity = 2 * (size_t)lengths[1];
        payload->data = realloc(payload->data, payload->capacity);
    }
    topic[lengths[0]] = '\0';
    payload->length = lengths[1];
    return fread(topic, lengths[0], 1, file) == 1 &&
           (!lengths[1] || fread(payload->data, lengths[1], 1, file) == 1);
}

/* ---- reading ---- */

struct drain {
    FILE *file; /* NULL: only counted */
    char barrier[64];
    size_t count, bytes;
    bool done, parses;
};

static void drain_hears(void *context, struct raw *raw, const struct raw_message *message)
{
    (void)raw;
    struct drain *drain = context;
    if (message->topic_length == strlen(drain->barrier) &&
        !memcmp(message->topic, drain->barrier, message->topic_length)) {
        drain->done = true;
        return;
    }
    if (!message->retained)
        return;
    drain->count++;
    drain->bytes += message->length;
    if (drain->parses)
        cJSON_Delete(cJSON_ParseWithLength(message->payload, message->length));
    if (drain->file)
        raw_file_put(drain->file, message);
}

/* As our programs do: what is retained has come when the barrier has. */
static void drain_one(struct raw *raw, struct drain *drain, const char *filter)
{
    drain->done = false;
    raw_subscribe(raw, filter, 1);
    raw_publish(raw, drain->barrier, "", 0, false);
    while (!drain->done) {
        raw_write(raw);
        raw_read(raw, -1);
    }
}

/* The next filter only when all of the last one's has come: more than may wait for one subscriber
 * the broker drops. */
static void drain_all(struct raw *raw, struct drain *drain, char *filters)
{
    char *rest = NULL;
    raw_subscribe(raw, drain->barrier, 1);
    for (char *filter = strtok_r(filters, ",", &rest); filter; filter = strtok_r(NULL, ",", &rest))
        drain_one(raw, drain, filter);
}

static int drain_into(FILE *file, bool parses, char **words, char *filters)
{
    struct drain drain = {.file = file, .parses = parses};
    struct raw raw = {.on_message = drain_hears, .context = &drain};
    snprintf(drain.barrier, sizeof drain.barrier, "raw/barrier/%d", (int)getpid());
    raw_connect(&raw, words[0], words[1], drain.barrier);
    double begun = raw_seconds();
    drain_all(&raw, &drain, filters);
    printf("drained %zu %.3f %zu\n", drain.count, raw_seconds() - begun, drain.bytes);
    return file ? fclose(file) : 0;
}

int verb_drain(char **words)
{
    return drain_into(strcmp(words[2], "-") != 0 ? fopen(words[2], "wb") : NULL, false, words,
                      words[3]);
}

int verb_parse(char **words)
{
    return drain_into(NULL, true, words, words[2]);
}

/* ---- writing ---- */

static void hears(void *context, struct raw *raw, const struct raw_message *message)
{
    size_t *heard = context;
    (void)raw;
    (void)message;
    ++*heard;
}

/* `filter`: of what it hears itself, until it has heard all of it; NULL: nothing. */
static int publish_file(char **words, const char *client_id, bool retain, const char *filter)
{
    FILE *file = fopen(words[2], "rb");
    char topic[RAW_TOPIC_BYTES];
    struct raw_bytes payload = {0};
    size_t count = 0, heard = 0;
    struct raw raw = {.on_message = hears, .context = &heard};
    if (!file)
        raw_die(words[2]);
    raw_connect(&raw, words[0], words[1], client_id);
    if (filter) {
        raw_subscribe(&raw, filter, 1);
        raw_wait_granted(&raw, 1);
    }
    double begun = raw_seconds();
    while (raw_file_get(file, topic, &payload)) {
        raw_publish(&raw, topic, payload.data, payload.length, retain);
        if (++count % TOGETHER == 0)
            raw_write(&raw);
        for (; raw.in_flight > WINDOW; raw_read(&raw, -1))
            raw_write(&raw);
    }
    for (raw_write(&raw); raw.in_flight || (filter && heard < count); raw_write(&raw))
        raw_read(&raw, -1);
    printf("published %zu %.3f\n", count, raw_seconds() - begun);
    free(payload.data);
    return fclose(file);
}

int verb_refill(char **words)
{
    return publish_file(words, "refill", true, NULL);
}

int verb_refill_heard(char **words)
{
    return publish_file(words, "refill", true, words[3]);
}

int verb_say(char **words)
{
    return publish_file(words, "say", false, NULL);
}
