/* What the core tells: documents to write, and answers to the shell's questions. */
#include "worker/core/worker_state.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

int64_t worker_seq_next(struct worker *worker)
{
    return ++worker->seq;
}

int64_t worker_seq(const struct worker *worker)
{
    return worker->seq;
}

void worker_seq_raise(struct worker *worker, int64_t seq)
{
    worker->seq = seq > worker->seq ? seq : worker->seq;
}

int64_t worker_term(const struct worker *worker)
{
    return worker->term;
}

const char *worker_cluster(const struct worker *worker)
{
    return worker->cluster[0] ? worker->cluster : NULL;
}

int64_t worker_interval_ms(const struct worker *worker)
{
    return worker->interval_ms;
}

const struct node_desired *worker_desired(const struct worker *worker)
{
    return worker->desired ? &worker->desired->value : NULL;
}

struct held_assignment *worker_held(const struct worker *worker, const char *job)
{
    const struct job *found = worker_job_find(worker, job);
    return found ? found->held : NULL;
}

const struct assignment *worker_assignment(const struct worker *worker, const char *job)
{
    const struct held_assignment *held = worker_held(worker, job);
    return held ? &held->value : NULL;
}

const char *worker_refused(const struct worker *worker, int64_t *ret_term)
{
    *ret_term = worker->refused_term;
    return worker->refused_manager[0] ? worker->refused_manager : NULL;
}

/* ---- the state document ---- */

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void attempt_write(const struct attempt *attempt, struct observed_attempt *ret_observed)
{
    *ret_observed = (struct observed_attempt){
        .id = attempt->id,
        .version = attempt->version,
        .state = (int)attempt->state,
        .run = attempt->run,
        .restarts = attempt->restarts,
        .seq = attempt->seq,
        .exit_code = attempt->exit_code,
        .reason = (int)attempt->reason,
        .message = attempt->message,
        .health = (int)attempt->health.state,
        .ports = {.items = (void *)attempt->ports, .count = attempt->port_count},
        .execution = text_or_null(attempt->execution),
        .address = text_or_null(attempt->address),
        .changed_ms = attempt->changed_ms,
        .started_ms = attempt->started_ms,
        .finished_ms = attempt->finished_ms,
        .window_ms = attempt->restart.window_ms,
        .window_restarts = attempt->restart.window_restarts,
        .backoff_step = attempt->restart.backoff_step,
        .retry_ms = attempt->retry_ms,
    };
}

/* Not what was only found, ended, in a runtime: most likely it was over, told and forgotten before
 * it could be removed. An assignment that names it makes it known. */
static bool is_told(const struct attempt *attempt)
{
    return attempt->assigned || attempt->task || attempt->state != ATTEMPT_SCHEDULED;
}

bool worker_state_read(const struct worker *worker, const char *name, struct arena *arena,
                       struct node_state *ret_state)
{
    const struct job *job = worker_job_find(worker, name);
    if (!job) {
        return false;
    }
    size_t count = 0;
    const struct attempt *attempt;
    DL_COUNT(job->attempts, attempt, count);
    struct observed_attempt *items = arena_array(arena, count, sizeof(*items));
    if (count && !items) {
        return false;
    }
    size_t i = 0;
    DL_FOREACH(job->attempts, attempt)
    {
        if (is_told(attempt)) {
            attempt_write(attempt, &items[i++]);
        }
    }
    *ret_state = (struct node_state){
        .head = {.cluster = worker_cluster(worker), .term = worker->term, .seq = job->state_seq},
        .revision = job->held ? job->held->value.revision : 0,
        .tombstone = job->forget_mono_ms != 0,
        .attempts = {.items = items, .count = i},
    };
    return true;
}

bool worker_state_write(struct worker *worker, const char *name, struct arena *arena,
                        struct node_state *ret_state)
{
    struct job *job = worker_job_find(worker, name);
    if (!job) {
        return false;
    }
    job->state_seq = worker_seq_next(worker);
    return worker_state_read(worker, name, arena, ret_state);
}

/* ---- questions ---- */

static bool is_instance_of(const struct attempt *attempt, const char *name)
{
    size_t length = strlen(name);
    return !strncmp(attempt->id, name, length) && attempt->id[length] == '_';
}

/* Of several attempts of an instance the one that is not final, else the one that changed last. */
static bool is_better(const struct attempt *attempt, const struct attempt *best)
{
    bool final = attempt_state_is_final(attempt->state);
    bool best_final = attempt_state_is_final(best->state);
    return final != best_final ? best_final : attempt->changed_ms >= best->changed_ms;
}

static const struct attempt *find_by_any_name(const struct worker *worker, const char *name)
{
    const struct attempt *best = worker_attempt_find(worker, name);
    if (best) {
        return best;
    }
    for (struct attempt *attempt = worker->attempts; attempt; attempt = attempt->hh.next) {
        if (is_instance_of(attempt, name) && (!best || is_better(attempt, best))) {
            best = attempt;
        }
    }
    return best;
}

static struct attempt_view view_of(const struct worker *worker, const struct attempt *attempt)
{
    bool waits = attempt->state < ATTEMPT_RUNNING && attempt->kept_run;
    return (struct attempt_view){
        .id = attempt->id,
        .job = attempt->job->name,
        .runtime = attempt->runtime,
        .state = attempt->state,
        .run = attempt->run,
        .restarts = attempt->restarts,
        .log_run = waits ? attempt->kept_run : attempt->run,
        .term = attempt->job->held ? attempt->job->held->value.head.term : worker->term,
        .spec = attempt->spec,
        .task = attempt->task,
    };
}

bool worker_find(const struct worker *worker, const char *name, struct attempt_view *ret_view)
{
    const struct attempt *attempt = find_by_any_name(worker, name);
    if (attempt) {
        *ret_view = view_of(worker, attempt);
    }
    return attempt;
}

bool worker_wants(const struct worker *worker, const char *id, int64_t run,
                  struct attempt_view *ret_view)
{
    const struct attempt *attempt = worker_attempt_find(worker, id);
    bool wanted = attempt && attempt->run == run && attempt->in_flight && attempt->task &&
                  attempt->state < ATTEMPT_RUNNING;
    if (wanted) {
        *ret_view = view_of(worker, attempt);
    }
    return wanted;
}

bool worker_has_dropped(const struct worker *worker, const char *id, int64_t run)
{
    const struct attempt *attempt = worker_attempt_find(worker, id);
    return attempt && attempt->run == run && attempt->in_flight &&
           attempt->state == ATTEMPT_STOPPING;
}

void worker_each_job(const struct worker *worker, void (*visit)(void *context, const char *job),
                     void *context)
{
    for (const struct job *job = worker->jobs; job; job = job->hh.next) {
        visit(context, job->name);
    }
}

int64_t worker_each_running(const struct worker *worker,
                            void (*visit)(void *context, const struct attempt_view *view),
                            void *context)
{
    int64_t count = 0;
    for (const struct attempt *attempt = worker->attempts; attempt; attempt = attempt->hh.next) {
        if (attempt->state == ATTEMPT_RUNNING || attempt->state == ATTEMPT_STOPPING) {
            struct attempt_view view = view_of(worker, attempt);
            visit(context, &view);
            count++;
        }
    }
    return count;
}

void worker_load(const struct worker *worker, struct worker_load *ret_load)
{
    *ret_load = (struct worker_load){0};
    for (const struct attempt *attempt = worker->attempts; attempt; attempt = attempt->hh.next) {
        if (attempt_state_is_final(attempt->state)) {
            continue;
        }
        ret_load->attempts++;
        ret_load->running += attempt->state == ATTEMPT_RUNNING;
        if (attempt->task) {
            ret_load->cpu_millis += attempt->task->resources.cpu_millis;
            ret_load->memory_bytes += attempt->task->resources.memory_bytes;
            ret_load->disk_bytes += attempt->task->resources.disk_bytes;
        }
    }
}
