/* One question after the other; what cannot be read is left out. */
#include "platform/base/mem.h"
#include "worker/runtime/docker_runtime.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct docker_usage {
    struct docker *docker;
    struct docker_usage *prev, *next; /* one for each container still to be asked */
    struct engine_request *request;
    char *task_id;
    int64_t run;
    runtime_usage_fn *report;
    void *context;
};

static void usage_free(struct docker_usage *usage)
{
    DL_DELETE(usage->docker->usages, usage);
    engine_cancel(usage->request);
    free(usage->task_id);
    free(usage);
}

void docker_usage_cancel(struct docker *docker)
{
    while (docker->usages)
        usage_free(docker->usages);
}

static void ask_next(struct docker *docker);

static void on_stats(void *context, const struct engine_reply *reply)
{
    struct docker_usage *usage = context;
    struct docker *docker = usage->docker;
    _cleanup_json_ struct json *tree = NULL;
    struct runtime_usage numbers;
    usage->request = NULL;
    if (engine_reply_is_ok(reply) && json_parse(reply->body, reply->length, &tree, NULL) == 0 &&
        usage_from_stats(tree, &numbers))
        usage->report(usage->context, usage->task_id, &numbers);
    usage_free(usage);
    ask_next(docker);
}

static void ask_next(struct docker *docker)
{
    while (docker->usages && !docker->usages->request) {
        struct docker_usage *usage = docker->usages;
        struct execution *execution = docker_execution_find(docker, usage->task_id, usage->run);
        if (!execution || execution->phase != EXECUTION_RUNNING) {
            usage_free(usage);
            continue;
        }
        _cleanup_free_ char *path =
            mem_printf("/containers/%s/stats?stream=false&one-shot=true", execution->name);
        usage->request = engine_call(docker->client, &(struct engine_call){
                                                         .method = "GET",
                                                         .path = path,
                                                         .timeout_ms = ENGINE_STATS_MS,
                                                         .on_done = on_stats,
                                                         .context = usage,
                                                     });
    }
}

static bool is_queued(const struct docker *docker, const char *task_id, int64_t run)
{
    for (const struct docker_usage *usage = docker->usages; usage; usage = usage->next) {
        if (usage->run == run && strcmp(usage->task_id, task_id) == 0)
            return true;
    }
    return false;
}

void docker_usage_begin(struct docker *docker, const char *task_id, int64_t run,
                        runtime_usage_fn *report, void *context)
{
    if (is_queued(docker, task_id, run))
        return;
    struct docker_usage *usage = mem_alloc(sizeof(*usage));
    usage->docker = docker;
    usage->task_id = mem_strdup(task_id);
    usage->run = run;
    usage->report = report;
    usage->context = context;
    DL_APPEND(docker->usages, usage);
    ask_next(docker);
}
