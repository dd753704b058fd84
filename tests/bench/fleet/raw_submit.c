/* Submits jobs as fast as they are answered, and waits until the manager says that all of their
 * instances run. */
#include "tests/bench/fleet/raw_verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 2000, NAME_BYTES = 64 };

struct submission {
    const char *root, *prefix;
    int jobs, instances;
    int said, accepted, rejected;
    int *running; /* of each job, as the manager said last */
    int64_t total;
};

/* The number of a job of ours on level `level` below the root, or -1. */
static int job_of(const struct submission *submission, const struct raw_message *message)
{
    char text[NAME_BYTES];
    const char *place = memmem(message->topic, message->topic_length, "jobs/", 5);
    size_t prefix = strlen(submission->prefix);
    if (!place)
        return -1;
    place += 5;
    size_t length = message->topic_length - (size_t)(place - message->topic);
    if (length <= prefix || length >= sizeof text || memcmp(place, submission->prefix, prefix) != 0)
        return -1;
    memcpy(text, place, length);
    text[length] = '\0';
    int job = atoi(text + prefix);
    return job < submission->jobs ? job : -1;
}

/* Of the counts by state; what is 0 may be left out. */
static int running_of(const struct raw_message *message)
{
    const char *counts = memmem(message->payload, message->length, "\"counts\":{", 10);
    if (!counts)
        return 0;
    size_t left = message->length - (size_t)(counts - message->payload);
    const char *end = memchr(counts, '}', left);
    const char *found = end ? memmem(counts, (size_t)(end - counts), "\"running\":", 10) : NULL;
    return found ? atoi(found + 10) : 0;
}

static void on_message(void *context, struct raw *raw, const struct raw_message *message)
{
    (void)raw;
    struct submission *submission = context;
    int job = job_of(submission, message);
    if (job < 0)
        return;
    if (memmem(message->topic, message->topic_length, "/accepted", 9)) {
        submission->accepted++;
    } else if (memmem(message->topic, message->topic_length, "/rejected", 9)) {
        submission->rejected++;
        fprintf(stderr, "%.*s\n", (int)message->length, message->payload);
    } else {
        int running = running_of(message);
        submission->total += running - submission->running[job];
        submission->running[job] = running;
    }
}

static void subscribe(struct raw *raw, const struct submission *submission)
{
    static const char *const filters[] = {"do/jobs/+/set/accepted", "do/jobs/+/set/rejected",
                                          "jobs/+/status"};
    for (size_t i = 0; i < 3; i++) {
        char filter[128];
        snprintf(filter, sizeof filter, "%s/%s", submission->root, filters[i]);
        raw_subscribe(raw, filter, 1);
    }
    raw_wait_granted(raw, 3);
}

static void say_more(struct raw *raw, struct submission *submission, const char *spec)
{
    while (submission->said < submission->jobs &&
           submission->said - submission->accepted - submission->rejected < WINDOW) {
        char topic[128];
        snprintf(topic, sizeof topic, "%s/do/jobs/%s%d/set", submission->root, submission->prefix,
                 submission->said++);
        raw_publish(raw, topic, spec, strlen(spec), false);
    }
}

/* Tells when all were answered, and then when all ran. */
static void wait_for_all(struct raw *raw, struct submission *submission, const char *spec)
{
    int64_t wanted = (int64_t)submission->jobs * submission->instances;
    bool answered = false;
    double begun = raw_seconds();
    while (!answered || submission->total < wanted) {
        say_more(raw, submission, spec);
        raw_write(raw);
        raw_read(raw, -1);
        if (!answered && submission->accepted + submission->rejected == submission->jobs) {
            answered = true;
            printf("accepted %d %.3f\n", submission->accepted, raw_seconds() - begun);
            fflush(stdout);
        }
        if (submission->rejected)
            raw_die("a job was rejected");
    }
    printf("running %lld %.3f\n", (long long)submission->total, raw_seconds() - begun);
}

int verb_submit(char **words)
{
    struct submission submission = {
        .root = words[2], .prefix = words[3], .jobs = atoi(words[4]), .instances = atoi(words[5])};
    struct raw raw = {.on_message = on_message, .context = &submission};
    char spec[512];
    snprintf(spec, sizeof spec,
             "{\"runtime\":\"simulated\",\"image\":\"none\",\"count\":%d,"
             "\"resources\":{\"cpu\":0.1,\"memory\":\"1MiB\"}%s}",
             submission.instances, words[6]);
    submission.running = calloc((size_t)submission.jobs, sizeof *submission.running);
    raw_connect(&raw, words[0], words[1], "submitter");
    subscribe(&raw, &submission);
    wait_for_all(&raw, &submission, spec);
    free(submission.running);
    return 0;
}
