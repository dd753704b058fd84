/* The null pipeline: what the contract says of a task is said (answer, specification, assignment,
 * state, status), in messages as large as ours and coalesced as ours are, and nothing is thought or
 * stored. Tasks go to the nodes in turns. What is faster than this is not the manager's to be. */
#include "tests/bench/fleet/raw_verbs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    NAME_BYTES = 64,
    TOPIC_BYTES = 192,
    /* as measured of ours */
    ANSWER_BYTES = 80,
    SPEC_BYTES = 755,
    ASSIGNMENT_BYTES = 735,
    ASSIGNED_BYTES = 77, /* each attempt in it */
    STATE_BYTES = 115,
    OBSERVED_BYTES = 113, /* each attempt in it */
    STATUS_BYTES = 240,
    EVENTS_MAX = 256,
};

/* `said`, filled up to `length` bytes of JSON. To be freed. */
static char *padded(const char *said, size_t length)
{
    char *text = malloc(length + 64);
    int used = snprintf(text, length + 64, "{%s,\"padding\":\"", said);
    while ((size_t)used + 2 < length)
        text[used++] = 'x';
    memcpy(text + used, "\"}", 3);
    return text;
}

/* Level `level` of a topic, terminated. */
static void level_of(const struct raw_message *message, int level, char ret_text[NAME_BYTES])
{
    const char *from = message->topic, *end = message->topic + message->topic_length;
    for (; level > 0 && from < end; from++)
        level -= *from == '/';
    const char *slash = memchr(from, '/', (size_t)(end - from));
    size_t length = (size_t)((slash ? slash : end) - from);
    length = length < NAME_BYTES ? length : NAME_BYTES - 1;
    memcpy(ret_text, from, length);
    ret_text[length] = '\0';
}

/* ---- the manager ---- */

struct null_job {
    char name[NAME_BYTES];
    int running;
    bool touched;
};

struct null_manager {
    const char *root, *prefix; /* root: one level */
    int nodes, together, next_node;
    struct null_job *jobs; /* by the number in their names */
    int job_count;
    int touched_count;
    int *touched;
    char *answer, *spec, *assignment;
};

static struct null_job *job_of(struct null_manager *manager, const struct raw_message *message,
                               int level)
{
    char name[NAME_BYTES];
    level_of(message, level, name);
    int number = atoi(name + strlen(manager->prefix));
    if (number < 0 || number >= manager->job_count)
        raw_die("a job with a number that was not to be expected");
    struct null_job *job = &manager->jobs[number];
    memcpy(job->name, name, sizeof name);
    return job;
}

static void say(struct raw *raw, bool retain, const char *payload, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void say(struct raw *raw, bool retain, const char *payload, const char *format, ...)
{
    char topic[TOPIC_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(topic, sizeof topic, format, args);
    va_end(args);
    raw_publish(raw, topic, payload, strlen(payload), retain);
}

static void on_command(struct null_manager *manager, struct raw *raw,
                       const struct raw_message *message)
{
    struct null_job *job = job_of(manager, message, 3);
    const char *count = memmem(message->payload, message->length, "\"count\":", 8);
    int left = count ? atoi(count + 8) : 1;
    say(raw, true, manager->spec, "%s/jobs/%s/spec", manager->root, job->name);
    for (; left > 0; left -= manager->together) {
        say(raw, true, manager->assignment, "%s/nodes/n%d/assign/%s", manager->root,
            manager->next_node, job->name);
        manager->next_node = (manager->next_node + 1) % manager->nodes;
    }
    say(raw, false, manager->answer, "%s/do/jobs/%s/set/accepted", manager->root, job->name);
}

static void on_state(struct null_manager *manager, const struct raw_message *message)
{
    struct null_job *job = job_of(manager, message, 4);
    job->running += manager->together;
    if (!job->touched)
        manager->touched[manager->touched_count++] = (int)(job - manager->jobs);
    job->touched = true;
}

static void manager_hears(void *context, struct raw *raw, const struct raw_message *message)
{
    char kind[NAME_BYTES];
    level_of(message, 1, kind);
    if (!strcmp(kind, "do"))
        on_command(context, raw, message);
    else
        on_state(context, message);
}

static void say_statuses(struct null_manager *manager, struct raw *raw)
{
    for (int i = 0; i < manager->touched_count; i++) {
        struct null_job *job = &manager->jobs[manager->touched[i]];
        char said[64];
        snprintf(said, sizeof said, "\"counts\":{\"running\":%d}", job->running);
        char *status = padded(said, STATUS_BYTES);
        say(raw, true, status, "%s/jobs/%s/status", manager->root, job->name);
        free(status);
        job->touched = false;
    }
    manager->touched_count = 0;
}

int verb_null_manager(char **words)
{
    struct null_manager manager = {.root = words[2],
                                   .prefix = words[3],
                                   .job_count = atoi(words[4]),
                                   .nodes = atoi(words[5]),
                                   .together = atoi(words[6]),
                                   .answer = padded("\"result\":\"accepted\"", ANSWER_BYTES),
                                   .spec = padded("\"spec\":1", SPEC_BYTES)};
    char filter[TOPIC_BYTES];
    struct raw raw = {.on_message = manager_hears, .context = &manager};
    manager.jobs = calloc((size_t)manager.job_count, sizeof *manager.jobs);
    manager.touched = calloc((size_t)manager.job_count, sizeof *manager.touched);
    manager.assignment =
        padded("\"spec\":1", ASSIGNMENT_BYTES + (size_t)manager.together * ASSIGNED_BYTES);
    raw_connect(&raw, words[0], words[1], "null-manager");
    snprintf(filter, sizeof filter, "%s/do/jobs/+/set", manager.root);
    raw_subscribe(&raw, filter, 1);
    snprintf(filter, sizeof filter, "%s/nodes/+/state/+", manager.root);
    raw_subscribe(&raw, filter, 1);
    raw_wait_granted(&raw, 2);
    puts("ready");
    fflush(stdout);
    for (;;) {
        raw_read(&raw, -1);
        say_statuses(&manager, &raw);
        raw_write(&raw);
    }
}

/* ---- the workers ---- */

struct null_worker {
    struct raw raw;
    const char *root;
    const char *state;
    int number;
};

static void worker_hears(void *context, struct raw *raw, const struct raw_message *message)
{
    const struct null_worker *worker = context;
    char job[NAME_BYTES];
    level_of(message, 4, job);
    say(raw, true, worker->state, "%s/nodes/n%d/state/%s", worker->root, worker->number, job);
}

static void worker_open(struct null_worker *worker, char **words, int epoll)
{
    char text[TOPIC_BYTES];
    snprintf(text, sizeof text, "null-worker-%d", worker->number);
    worker->raw = (struct raw){.on_message = worker_hears, .context = worker};
    raw_connect(&worker->raw, words[0], words[1], text);
    snprintf(text, sizeof text, "%s/nodes/n%d/assign/+", worker->root, worker->number);
    raw_subscribe(&worker->raw, text, 1);
    raw_wait_granted(&worker->raw, 1);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = worker};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, worker->raw.fd, &event))
        raw_die("epoll_ctl");
}

int verb_null_workers(char **words)
{
    int first = atoi(words[3]), count = atoi(words[4]), together = atoi(words[5]);
    int epoll = epoll_create1(0);
    char *state = padded("\"state\":\"running\"", STATE_BYTES + (size_t)together * OBSERVED_BYTES);
    struct null_worker *workers = calloc((size_t)count, sizeof *workers);
    for (int i = 0; i < count; i++) {
        workers[i].root = words[2];
        workers[i].state = state;
        workers[i].number = first + i;
        worker_open(&workers[i], words, epoll);
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < ready; i++) {
            struct null_worker *worker = events[i].data.ptr;
            raw_read(&worker->raw, 0);
            raw_write(&worker->raw);
        }
    }
}
