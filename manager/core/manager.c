/* The machine: one event in, then whatever that event made due: timers, and the queue of jobs that
 * were touched. Failure modes are in the events' own files; this one only dispatches. */
#include "manager/core/internal.h"

#include "platform/base/text.h"

#include <stdlib.h>

struct manager *manager_new(const struct manager_options *options, struct now now)
{
    struct manager *manager = mem_alloc(sizeof(*manager));
    manager->instances = POOL_OF(struct instance);
    manager->attempts = POOL_OF(struct attempt);
    manager->ends = POOL_OF(struct attempt_ends);
    manager->bindings = POOL_OF(struct binding);
    text_copy(manager->id, sizeof(manager->id), options->id);
    text_copy(manager->cluster, sizeof(manager->cluster), options->cluster);
    manager->term = options->term;
    manager->seq = options->seq;
    manager->started_empty = options->term == 0;
    manager->grace_ms = options->grace_ms;
    manager->keepalive_ms = options->keepalive_ms;
    manager->preemption = options->preemption ? options->preemption : PREEMPTION_BY_SYSTEM_JOBS;
    manager->policy = options->policy;
    manager->scheduler = cluster_new(&(struct cluster_settings){
        .policy = options->policy, .max_jobs = LIMIT_ATTEMPTS_PER_NODE, .cursor = ""});
    manager->now = now;
    manager->wall_ahead_ms = now.wall_ms - now.mono_ms;
    prng_init(&manager->prng, options->seed);
    line_init(manager);
    return manager;
}

void manager_free(struct manager *manager)
{
    if (!manager)
        return;
    while (manager->jobs)
        job_free(manager, manager->jobs);
    while (manager->nodes)
        node_free(manager, manager->nodes);
    graves_release(manager);
    zones_release(manager);
    reigns_release(manager);
    deadlines_release(&manager->timers);
    free(manager->just_final);
    cluster_free(manager->scheduler);
    pool_release(&manager->instances);
    pool_release(&manager->attempts);
    pool_release(&manager->ends);
    pool_release(&manager->bindings);
    free(manager);
}

static void on_timer(struct manager *manager, const struct manager_event *event)
{
    (void)manager;
    (void)event; /* what is due is fired after every event */
}

static void on_committed(struct manager *manager, const struct manager_event *event)
{
    (void)event;
    attempts_note_committed(manager);
}

static void on_offline(struct manager *manager, const struct manager_event *event)
{
    (void)event;
    manager->offline = true;
    mark_manager_status(manager);
}

static void fire_timers(struct manager *manager)
{
    struct timer *timer;
    while ((timer = timers_first(&manager->timers)) &&
           timer->deadline.due_ms <= manager->now.mono_ms) {
        timer_unset(&manager->timers, timer);
        timer->fire(manager, timer->owner);
    }
}

static void run_queue(struct manager *manager)
{
    line_move(manager);
    while (manager->queue_first) {
        struct job *job = manager->queue_first;
        manager->queue_first = job->queue_next;
        if (!manager->queue_first)
            manager->queue_last = NULL;
        job->queued = false;
        if (!job->only_for_room || job_might_go(manager, job))
            job_reconcile(manager, job);
    }
}

/* A timer that is this late: the process stood still (stopped, suspended, waiting for its disk) and
 * could hear nobody. What was said meanwhile comes next. */
static void notice_standstill(struct manager *manager, struct now now)
{
    const struct timer *first = timers_first(&manager->timers);
    manager->now = now;
    if (manager->phase == PHASE_LEADING && first &&
        now.mono_ms - first->deadline.due_ms > manager->grace_ms)
        nodes_begin_grace(manager);
}

void manager_step(struct manager *manager, const struct manager_event *event, struct now now,
                  struct effects *effects)
{
    static void (*const handlers[EVENT_KIND_COUNT])(struct manager *,
                                                    const struct manager_event *) = {
        [EVENT_TIMER] = on_timer,
        [EVENT_COMMITTED] = on_committed,
        [EVENT_PICTURE_WHOLE] = on_picture_whole,
        [EVENT_RENEW] = on_renew,
        [EVENT_LINK_LOST] = on_link_lost,
        [EVENT_OFFLINE] = on_offline,
        [EVENT_JOB_DOCUMENT] = on_job_document,
        [EVENT_JOB_HISTORY] = on_job_history,
        [EVENT_JOB_STATUS] = on_job_status,
        [EVENT_NODE_DESIRED] = on_node_desired,
        [EVENT_ASSIGNMENT] = on_assignment,
        [EVENT_MANAGER_STATUS] = on_manager_status,
        [EVENT_UNREADABLE] = on_unreadable,
        [EVENT_NODE_PRESENCE] = on_presence,
        [EVENT_NODE_INFO] = on_node_info,
        [EVENT_NODE_STATE] = on_node_state,
        [EVENT_STATE_CLEARED] = on_state_cleared,
        [EVENT_HEARTBEAT] = on_heartbeat,
        [EVENT_ANSWER_ASSIGNMENT] = on_answer_assignment,
        [EVENT_COMMAND] = on_command,
        [EVENT_ZONE] = on_zone,
    };
    ASSERT(event->kind < EVENT_KIND_COUNT);
    manager->effects = effects;
    notice_standstill(manager, now);
    handlers[event->kind](manager, event);
    if (manager->phase == PHASE_LEADING) {
        schedules_notice_jump(manager);
        fire_timers(manager);
        if (!event->more)
            run_queue(manager);
    }
    manager->effects = NULL;
}

int64_t manager_deadline_ms(const struct manager *manager)
{
    const struct timer *timer = timers_first(&manager->timers);
    return timer && manager->phase == PHASE_LEADING ? timer->deadline.due_ms : INT64_MAX;
}

enum manager_phase manager_phase(const struct manager *manager)
{
    return manager->phase;
}

const char *manager_cluster(const struct manager *manager)
{
    return manager->cluster;
}

const char *manager_id(const struct manager *manager)
{
    return manager->id;
}

int64_t manager_term(const struct manager *manager)
{
    return manager->term;
}

int64_t manager_seq(const struct manager *manager)
{
    return manager->seq;
}

bool manager_goes_by_loads(const struct manager *manager)
{
    return manager->by_loads;
}

void manager_storing(struct manager *manager)
{
    attempts_note_storing(manager);
}

void manager_set_session(struct manager *manager, int64_t session)
{
    manager->session = session;
}
