#include "cluster.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/record.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *content(const struct document *document)
{
    return (void *)&document->job_document; /* the union's address */
}

/* ---- collecting ---- */

static struct kept_document *slot_of(struct cluster *cluster, const char *topic)
{
    for (size_t i = 0; i < cluster->document_count; i++)
        if (strcmp(cluster->documents[i].document.topic, topic) == 0)
            return &cluster->documents[i];
    assert_true(cluster->document_count < CLUSTER_DOCUMENTS_MAX);
    return &cluster->documents[cluster->document_count++];
}

static void collect_document(struct cluster *cluster, const struct document_mark *mark)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct document document;
    assert_int_equal(manager_document(cluster->manager, mark, cluster->now, &arena, &document), 0);
    struct kept_document *kept = slot_of(cluster, document.topic);
    arena_release(&kept->arena);
    kept->document = document;
    kept->writes++;
    assert_int_equal(
        record_copy(document.record, content(&document), &kept->arena, content(&kept->document)),
        0);
}

static void collect_rest(struct cluster *cluster)
{
    struct effects *effects = &cluster->effects;
    for (size_t i = 0; i < effects->event_count && cluster->event_count < CLUSTER_EVENTS_MAX; i++)
        snprintf(cluster->events[cluster->event_count++], 64, "%s", effects->events[i].kind);
    for (size_t i = 0; i < effects->clear_count && cluster->cleared_count < CLUSTER_EVENTS_MAX; i++)
        if (effects->clears[i].kind == CLEAR_TOPIC)
            strcpy(cluster->cleared[cluster->cleared_count++], effects->clears[i].topic);
    for (size_t i = 0; i < effects->ask_count && cluster->asked_count < CLUSTER_ASKS_MAX; i++) {
        strcpy(cluster->asked_node[cluster->asked_count], effects->asks[i].node);
        strcpy(cluster->asked[cluster->asked_count++], effects->asks[i].token);
    }
}

static bool flush(struct cluster *cluster)
{
    struct effects *effects = &cluster->effects;
    bool any = effects->mark_count > 0;
    if (manager_phase(cluster->manager) != PHASE_LEADING)
        return false;
    manager_storing(cluster->manager);
    for (size_t i = 0; i < effects->mark_count; i++)
        collect_document(cluster, &effects->marks[i]);
    collect_rest(cluster);
    struct verdict verdict = effects->verdict;
    effects->verdict.problems = (struct problems){0}; /* kept until the next command */
    effects_clear(effects);
    effects->verdict = verdict;
    return any;
}

void cluster_step(struct cluster *cluster, const struct manager_event *event)
{
    static const struct manager_event committed = {.kind = EVENT_COMMITTED};
    for (; event; event = flush(cluster) ? &committed : NULL)
        manager_step(cluster->manager, event, cluster->now, &cluster->effects);
}

/* ---- life ---- */

static struct manager *born(const struct cluster *cluster, struct manager_options options)
{
    options.grace_ms = DEFAULT_GRACE_MS;
    options.keepalive_ms = 30000;
    options.preemption = cluster->preemption;
    return manager_new(&options, cluster->now);
}

static void init(struct cluster *cluster, const char *id, int64_t term, enum preemption preemption)
{
    memset(cluster, 0, sizeof(*cluster));
    cluster->preemption = preemption;
    cluster->now = (struct now){.wall_ms = 1700000000000, .mono_ms = 1000000};
    cluster->manager = born(cluster, (struct manager_options){.id = id, .term = term, .seed = 7});
}

void cluster_init_recovering(struct cluster *cluster, const char *id, int64_t term)
{
    init(cluster, id, term, PREEMPTION_BY_SYSTEM_JOBS);
}

void cluster_init_preempting(struct cluster *cluster, enum preemption preemption)
{
    init(cluster, "m1", 0, preemption);
    cluster_lead(cluster);
}

void cluster_release(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->document_count; i++)
        arena_release(&cluster->documents[i].arena);
    effects_clear(&cluster->effects);
    manager_free(cluster->manager);
}

void cluster_lead(struct cluster *cluster)
{
    cluster_step(cluster, &(struct manager_event){.kind = EVENT_PICTURE_WHOLE});
}

void cluster_lose_link(struct cluster *cluster)
{
    cluster_step(cluster, &(struct manager_event){.kind = EVENT_LINK_LOST});
}

void cluster_pass(struct cluster *cluster, int64_t ms, const char *const *nodes)
{
    while (ms > 0) {
        int64_t step = ms < 1000 ? ms : 1000;
        ms -= step;
        cluster->now.wall_ms += step;
        cluster->now.mono_ms += step;
        for (const char *const *node = nodes; node && *node; node++)
            cluster_heartbeat(cluster, *node);
        cluster_step(cluster, &(struct manager_event){.kind = EVENT_TIMER});
    }
}

/* ---- workers ---- */

void cluster_heartbeat(struct cluster *cluster, const char *node)
{
    cluster_step(cluster,
                 &(struct manager_event){.kind = EVENT_HEARTBEAT, .node = node, .live = true});
}

void cluster_presence(struct cluster *cluster, const char *node, int state, int64_t session)
{
    struct presence_document presence = {.state = state, .session = session};
    cluster_step(cluster, &(struct manager_event){.kind = EVENT_NODE_PRESENCE,
                                                  .node = node,
                                                  .live = true,
                                                  .presence = &presence});
}

static void join(struct cluster *cluster, const char *node, struct node_info *info)
{
    const char *runtimes[] = {"docker"};
    info->head.seq = ++cluster->seq;
    info->runtimes = (struct string_list){runtimes, 1};
    info->interval_ms = 10000;
    cluster_presence(cluster, node, PRESENCE_ONLINE, 1);
    cluster_step(cluster,
                 &(struct manager_event){
                     .kind = EVENT_NODE_INFO, .node = node, .live = true, .node_info = info});
}

void cluster_add_node_sized(struct cluster *cluster, const char *node, const char *datacenter,
                            int64_t cpu_millis, int64_t memory_bytes)
{
    join(cluster, node,
         &(struct node_info){.datacenter = datacenter,
                             .capacity = {cpu_millis, memory_bytes, (int64_t)100 << 30}});
}

void cluster_add_node(struct cluster *cluster, const char *node)
{
    cluster_add_node_sized(cluster, node, "dc1", 4000, (int64_t)4 << 30);
}

void cluster_add_node_labelled(struct cluster *cluster, const char *node, const char *key,
                               const char *value)
{
    struct string_pair label = {key, value};
    join(cluster, node,
         &(struct node_info){.datacenter = "dc1",
                             .capacity = {4000, (int64_t)4 << 30, (int64_t)100 << 30},
                             .labels = {&label, 1}});
}

void cluster_report_id(struct cluster *cluster, const char *node, const char *attempt,
                       enum attempt_state state, int64_t exit_code)
{
    struct attempt_name name;
    assert_true(attempt_name_parse(attempt, &name));
    const struct assignment *assignment = cluster_assignment(cluster, node, name.job);
    struct observed_attempt observed = {
        .id = attempt,
        .state = (int)state,
        .run = 1,
        .seq = ++cluster->seq,
        .exit_code = exit_code,
        .started_ms = cluster->now.wall_ms,
    };
    struct node_state report = {.head = {.seq = cluster->seq},
                                .revision = assignment ? assignment->revision : 0,
                                .attempts = {&observed, 1}};
    cluster_step(cluster, &(struct manager_event){.kind = EVENT_NODE_STATE,
                                                  .node = node,
                                                  .job = name.job,
                                                  .live = true,
                                                  .node_state = &report});
}

void cluster_report(struct cluster *cluster, const char *node, const char *job, size_t n,
                    enum attempt_state state, int64_t exit_code)
{
    char id[LIMIT_TASK_ID_LENGTH + 1]; /* the document changes while the report is handled */
    snprintf(id, sizeof(id), "%s", cluster_attempt(cluster, node, job, n)->id);
    cluster_report_id(cluster, node, id, state, exit_code);
}

static bool is_done(const struct assigned_attempt *attempt)
{
    enum attempt_state known = (enum attempt_state)attempt->known.state;
    return known && attempt_state_is_final(known) && known != ATTEMPT_LOST;
}

/* True when the assignment has changed meanwhile. */
static bool obey_assignment(struct cluster *cluster, const char *node, const char *job)
{
    for (size_t i = 0; i < cluster_assignment(cluster, node, job)->attempts.count; i++) {
        const struct assigned_attempt *attempt = cluster_attempt(cluster, node, job, i);
        if (is_done(attempt))
            continue;
        bool stop = attempt->desired == DESIRED_STOP;
        cluster_report(cluster, node, job, i, stop ? ATTEMPT_STOPPED : ATTEMPT_RUNNING, UNSET);
        if (stop)
            return true;
    }
    return false;
}

/* A worker that hears a tombstone says that nothing is left. */
static void answer_tombstone(struct cluster *cluster, const char *node, const char *job)
{
    const struct assignment *assignment = cluster_assignment(cluster, node, job);
    struct node_state report = {
        .head = {.seq = ++cluster->seq}, .revision = assignment->revision, .tombstone = true};
    if (assignment->head.tombstone)
        cluster_step(cluster, &(struct manager_event){.kind = EVENT_NODE_STATE,
                                                      .node = node,
                                                      .job = job,
                                                      .live = true,
                                                      .node_state = &report});
}

static void answer_tombstones(struct cluster *cluster, const char *node)
{
    for (size_t i = 0; i < cluster->document_count; i++) {
        struct topic topic;
        assert_true(topic_parse(cluster->documents[i].document.topic, &topic));
        if (topic.kind == TOPIC_NODE_ASSIGN && (!node || !strcmp(node, topic.level[0])))
            answer_tombstone(cluster, topic.level[0], topic.level[1]);
    }
}

void cluster_obey(struct cluster *cluster, const char *node)
{
    for (int round = 0; round < 200; round++) {
        bool changed = false;
        for (size_t i = 0; i < cluster->document_count && !changed; i++) {
            struct topic topic;
            assert_true(topic_parse(cluster->documents[i].document.topic, &topic));
            if (topic.kind == TOPIC_NODE_ASSIGN && (!node || !strcmp(node, topic.level[0])))
                changed = obey_assignment(cluster, topic.level[0], topic.level[1]);
        }
        if (!changed) {
            answer_tombstones(cluster, node);
            return;
        }
    }
    fail_msg("workers and manager do not settle");
}

/* ---- users ---- */

static const struct verdict *run_command(struct cluster *cluster, const char *name,
                                         const struct command *command)
{
    bool of_job = command->kind < COMMAND_NODE_ELIGIBILITY;
    cluster_step(cluster, &(struct manager_event){.kind = EVENT_COMMAND,
                                                  .job = of_job ? name : NULL,
                                                  .node = of_job ? NULL : name,
                                                  .command = command});
    return &cluster->effects.verdict;
}

const struct verdict *cluster_set(struct cluster *cluster, const char *job, const char *json)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    struct command_envelope envelope;
    struct job_spec spec;
    if (codec_decode_set(json, strlen(json), job, &arena, &envelope, &spec, &problems))
        fail_msg("%s: %s", problems.items[0].path, problems.items[0].message);
    return run_command(
        cluster, job,
        &(struct command){.kind = COMMAND_JOB_SET, .envelope = &envelope, .spec = &spec});
}

const struct verdict *cluster_command(struct cluster *cluster, enum command_kind kind,
                                      const char *name)
{
    struct command_envelope envelope = {.expect_version = UNSET, .expires_at_ms = UNSET};
    struct node_arguments node = {.eligible = UNSET, .interval_ms = UNSET};
    return run_command(cluster, name,
                       &(struct command){.kind = kind, .envelope = &envelope, .node = &node});
}

void cluster_set_eligible(struct cluster *cluster, const char *node, bool eligible)
{
    struct command_envelope envelope = {.expect_version = UNSET, .expires_at_ms = UNSET};
    struct node_arguments arguments = {.eligible = eligible, .interval_ms = UNSET};
    run_command(cluster, node,
                &(struct command){
                    .kind = COMMAND_NODE_ELIGIBILITY, .envelope = &envelope, .node = &arguments});
}

const struct verdict *cluster_scale(struct cluster *cluster, const char *job, int64_t count)
{
    struct command_envelope envelope = {.expect_version = UNSET, .expires_at_ms = UNSET};
    struct scale_arguments scale = {.count = count};
    return run_command(
        cluster, job,
        &(struct command){.kind = COMMAND_JOB_SCALE, .envelope = &envelope, .scale = &scale});
}

/* ---- looking ---- */

static const struct kept_document *find(const struct cluster *cluster, const char *topic)
{
    for (size_t i = 0; i < cluster->document_count; i++)
        if (strcmp(cluster->documents[i].document.topic, topic) == 0)
            return &cluster->documents[i];
    return NULL;
}

const struct document *cluster_document(const struct cluster *cluster, const char *topic)
{
    const struct kept_document *kept = find(cluster, topic);
    return kept ? &kept->document : NULL;
}

int64_t cluster_writes(const struct cluster *cluster, const char *topic)
{
    const struct kept_document *kept = find(cluster, topic);
    return kept ? kept->writes : 0;
}

const struct assignment *cluster_assignment(const struct cluster *cluster, const char *node,
                                            const char *job)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    topic_format(topic, TOPIC_NODE_ASSIGN, node, job);
    const struct document *document = cluster_document(cluster, topic);
    return document ? &document->assignment : NULL;
}

const struct job_status *cluster_status(const struct cluster *cluster, const char *job)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    topic_format(topic, TOPIC_JOB_STATUS, job, NULL);
    const struct document *document = cluster_document(cluster, topic);
    assert_non_null(document);
    return &document->job_status;
}

const struct assigned_attempt *cluster_attempt(const struct cluster *cluster, const char *node,
                                               const char *job, size_t n)
{
    const struct assignment *assignment = cluster_assignment(cluster, node, job);
    assert_non_null(assignment);
    assert_true(n < assignment->attempts.count);
    return RECORD_AT(struct assigned_attempt, assignment->attempts, n);
}

static size_t count_wanted(const struct record_list *attempts)
{
    size_t count = 0;
    for (size_t i = 0; i < attempts->count; i++) {
        const struct assigned_attempt *attempt = RECORD_AT(struct assigned_attempt, *attempts, i);
        count += attempt->desired == DESIRED_RUN && !is_done(attempt);
    }
    return count;
}

size_t cluster_wanted(const struct cluster *cluster, const char *node, const char *job)
{
    size_t count = 0;
    for (size_t i = 0; i < cluster->document_count; i++) {
        struct topic topic;
        const struct document *document = &cluster->documents[i].document;
        assert_true(topic_parse(document->topic, &topic));
        if (topic.kind == TOPIC_NODE_ASSIGN && !strcmp(topic.level[1], job) &&
            (!node || !strcmp(topic.level[0], node)))
            count += count_wanted(&document->assignment.attempts);
    }
    return count;
}

const char *cluster_pending_reason(const struct cluster *cluster, const char *job, size_t n)
{
    const struct job_status *status = cluster_status(cluster, job);
    assert_true(n < status->pending.count);
    return RECORD_AT(struct pending_group, status->pending, n)->reason;
}

bool cluster_saw_event(const struct cluster *cluster, const char *kind)
{
    for (size_t i = 0; i < cluster->event_count; i++)
        if (strcmp(cluster->events[i], kind) == 0)
            return true;
    return false;
}

bool cluster_cleared(const struct cluster *cluster, const char *topic)
{
    for (size_t i = 0; i < cluster->cleared_count; i++)
        if (strcmp(cluster->cleared[i], topic) == 0)
            return true;
    return false;
}

/* ---- recovery ---- */

static enum event_kind event_of(enum topic_kind topic)
{
    static const struct {
        enum topic_kind topic;
        enum event_kind event;
    } rows[] = {
        {TOPIC_JOB_SPEC, EVENT_JOB_DOCUMENT},  {TOPIC_JOB_HISTORY, EVENT_JOB_HISTORY},
        {TOPIC_JOB_STATUS, EVENT_JOB_STATUS},  {TOPIC_NODE_DESIRED, EVENT_NODE_DESIRED},
        {TOPIC_NODE_ASSIGN, EVENT_ASSIGNMENT}, {TOPIC_MANAGER_STATUS, EVENT_MANAGER_STATUS},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (rows[i].topic == topic)
            return rows[i].event;
    fail_msg("no document of the manager");
    return EVENT_TIMER;
}

static void hear(struct cluster *to, const struct document *document, bool stored)
{
    struct topic topic;
    assert_true(topic_parse(document->topic, &topic));
    bool of_node = topic.kind == TOPIC_NODE_DESIRED || topic.kind == TOPIC_NODE_ASSIGN;
    struct manager_event event = {
        .kind = event_of(topic.kind),
        .node = of_node ? topic.level[0] : NULL,
        .job = of_node ? topic.level[1] : topic.level[0],
        .stored = stored,
        .job_document = &document->job_document,
    };
    cluster_step(to, &event);
}

void cluster_hear_all(struct cluster *to, const struct cluster *from, bool stored)
{
    for (size_t i = 0; i < from->document_count; i++)
        if (!stored || !from->documents[i].document.derived)
            hear(to, &from->documents[i].document, stored);
}

void cluster_restart(struct cluster *cluster, bool emptied)
{
    char id[LIMIT_NODE_ID_LENGTH + 1], name[LIMIT_TOKEN_LENGTH + 1];
    snprintf(name, sizeof(name), "%s", manager_cluster(cluster->manager));
    snprintf(id, sizeof(id), "%s", manager_id(cluster->manager));
    if (emptied)
        snprintf(id, sizeof(id), "m%lld", (long long)(++cluster->lives + 1000));
    struct manager_options options = {
        .id = id,
        .cluster = emptied ? NULL : name,
        .term = emptied ? 0 : manager_term(cluster->manager),
        .seq = emptied ? 0 : manager_seq(cluster->manager),
        .seed = (uint64_t)cluster->now.mono_ms,
    };
    struct manager *next = born(cluster, options);
    effects_clear(&cluster->effects);
    manager_free(cluster->manager);
    cluster->manager = next;
    cluster_hear_all(cluster, cluster, !emptied);
}
