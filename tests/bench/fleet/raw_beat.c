/* Heartbeats on behalf of nodes, so many a second: each is written by itself, on one of many
 * connections in turn, as nodes do. */
#include "tests/bench/fleet/raw_verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAUSE_US = 500, NAME_BYTES = 32 };

struct beat {
    char *topic;
    struct raw_bytes payload;
};

struct beats {
    struct beat *all;
    size_t count;
};

static struct beats read_beats(const char *path)
{
    struct beats beats = {0};
    char topic[RAW_TOPIC_BYTES];
    struct raw_bytes payload = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        raw_die(path);
    while (raw_file_get(file, topic, &payload)) {
        beats.all = realloc(beats.all, (beats.count + 1) * sizeof *beats.all);
        beats.all[beats.count++] = (struct beat){strdup(topic), payload};
        payload = (struct raw_bytes){0};
    }
    fclose(file);
    if (!beats.count)
        raw_die("no heartbeats");
    return beats;
}

static struct raw *connect_all(char **words, size_t count)
{
    struct raw *raws = calloc(count, sizeof *raws);
    for (size_t i = 0; i < count; i++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "beat-%zu", i);
        raw_connect(&raws[i], words[0], words[1], name);
    }
    return raws;
}

static void beat_one(struct raw *raw, const struct beat *beat)
{
    raw_publish_unacknowledged(raw, beat->topic, beat->payload.data, beat->payload.length, true);
    raw_write(raw);
}

/* The broker has read all of them when it has answered on each connection. */
static void wait_until_read(struct raw *raws, size_t count)
{
    for (size_t i = 0; i < count; i++)
        raw_subscribe(&raws[i], "raw/nobody", 0);
    for (size_t i = 0; i < count; i++)
        raw_wait_granted(&raws[i], 1);
}

int verb_beat(char **words)
{
    struct beats beats = read_beats(words[2]);
    size_t connections = strtoul(words[3], NULL, 10), sent = 0;
    double a_second = atof(words[4]), seconds = atof(words[5]);
    struct raw *raws = connect_all(words, connections);
    double begun = raw_seconds();
    for (double passed = 0; passed < seconds; passed = raw_seconds() - begun) {
        for (; (double)sent < passed * a_second; sent++)
            beat_one(&raws[sent % connections], &beats.all[sent % beats.count]);
        usleep(PAUSE_US);
    }
    wait_until_read(raws, connections);
    printf("beaten %zu %.3f\n", sent, raw_seconds() - begun);
    return 0;
}
