/* Attempts. Their state is written by one function, attempt_set_state, which asks the table in
 * schema/states.h; their resources are held from creation until nothing of them runs any more. */
#include "manager/core/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct attempt *instance_attempt(const struct instance *instance, const char *suffix)
{
    struct attempt *attempt = instance->attempts;
    while (attempt && memcmp(attempt->suffix, suffix, ATTEMPT_SUFFIX_LENGTH) != 0)
        attempt = attempt->older;
    return attempt;
}

struct attempt *attempt_find(struct manager *manager, const char *id)
{
    struct attempt_name name;
    struct job *job = attempt_name_parse(id, &name) ? job_find(manager, name.job) : NULL;
    struct group *group = job ? job_group(job, name.task) : NULL;
    struct instance *instance = group ? group_instance(group, name.index) : NULL;
    return instance ? instance_attempt(instance, name.suffix) : NULL;
}

static bool skip_word(const char **text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0 || (*text)[length] != '_')
        return false;
    *text += length + 1;
    return true;
}

bool attempt_has_id(const struct attempt *attempt, const char *id)
{
    const struct instance *instance = attempt->instance;
    char *end;
    return skip_word(&id, instance->group->job->name) && skip_word(&id, instance->group->name) &&
           strtoll(id, &end, 10) == instance->index && *end++ == '_' &&
           !strncmp(end, attempt->suffix, ATTEMPT_SUFFIX_LENGTH) && !end[ATTEMPT_SUFFIX_LENGTH];
}

void attempt_id(const struct attempt *attempt, char *ret_id)
{
    const struct group *group = attempt->instance->group;
    struct attempt_name name = {.index = attempt->instance->index};
    memcpy(name.job, group->job->name, sizeof(name.job));
    memcpy(name.task, group->name, sizeof(name.task));
    memcpy(name.suffix, attempt->suffix, ATTEMPT_SUFFIX_LENGTH);
    attempt_name_format(ret_id, &name);
}

/* ---- the ends of its runs ---- */

static const struct attempt_ends no_ends = {.exit_code = UNSET};

struct attempt_ends attempt_ends(const struct attempt *attempt)
{
    return attempt->ends ? *attempt->ends : no_ends;
}

static void attempt_set_ends(struct manager *manager, struct attempt *attempt,
                             struct attempt_ends ends)
{
    bool none = ends.restarts == 0 && ends.exit_code == UNSET && ends.finished_ms == 0 &&
                ends.run_wanted == 0;
    if (none && !attempt->ends)
        return;
    if (!attempt->ends)
        attempt->ends = pool_alloc(&manager->ends);
    *attempt->ends = ends;
}

void attempt_want_run(struct manager *manager, struct attempt *attempt, int64_t run)
{
    struct attempt_ends ends = attempt_ends(attempt);
    ends.run_wanted = run;
    attempt_set_ends(manager, attempt, ends);
}

/* ---- what is assigned and was not reported on ---- */

static bool is_unreported(const struct attempt *attempt)
{
    return attempt->state == ATTEMPT_SCHEDULED && !attempt->unknown;
}

static void note_report(struct manager *manager, bool was_unreported, const struct attempt *attempt)
{
    bool is = attempt && is_unreported(attempt);
    if (was_unreported && !is)
        manager->reported_ms = manager->now.mono_ms;
    manager->unreported += (size_t)is - (size_t)was_unreported;
}

void attempt_set_unknown(struct manager *manager, struct attempt *attempt, bool unknown)
{
    bool was = is_unreported(attempt);
    attempt->unknown = unknown;
    note_report(manager, was, attempt);
}

size_t manager_awaited_reports(const struct manager *manager)
{
    enum { PROGRESS_WITHIN_MS = 10000 }; /* after that, waiting helps nobody */
    bool progress = manager->now.mono_ms - manager->reported_ms < PROGRESS_WITHIN_MS;
    return progress ? manager->unreported : 0;
}

/* ---- creation and end ---- */

static void attach(struct attempt *attempt, struct instance *instance, struct binding *binding)
{
    struct attempt **tail = &binding->attempts;
    attempt->instance = instance;
    attempt->older = instance->attempts;
    instance->attempts = attempt;
    while (*tail)
        tail = &(*tail)->next;
    *tail = attempt;
    attempt->binding = binding;
}

static void detach(struct attempt *attempt)
{
    struct attempt **at = &attempt->instance->attempts;
    while (*at != attempt)
        at = &(*at)->older;
    *at = attempt->older;
    at = &attempt->binding->attempts;
    while (*at != attempt)
        at = &(*at)->next;
    *at = attempt->next;
}

struct attempt *attempt_new(struct manager *manager, const char *suffix, struct instance *instance,
                            struct node *node, struct spec_version *spec)
{
    struct attempt *attempt = pool_alloc(&manager->attempts);
    struct binding *binding = binding_obtain(manager, node, instance->group->job);
    memcpy(attempt->suffix, suffix, ATTEMPT_SUFFIX_LENGTH);
    attempt->spec = spec_version_ref(spec);
    attempt->state = ATTEMPT_PENDING;
    attempt->desired = DESIRED_RUN;
    attempt->holds = true;
    attach(attempt, instance, binding);
    attempt_claim(manager, attempt);
    if (binding->tombstone)
        grave_close(manager, TOPIC_NODE_ASSIGN, node->id, binding->job->name);
    binding->tombstone = false;
    return attempt;
}

static void attempt_release(struct manager *manager, struct attempt *attempt)
{
    if (!attempt->holds)
        return;
    attempt->holds = false;
    attempt_unclaim(manager, attempt);
}

void attempt_set_spec(struct manager *manager, struct attempt *attempt, struct spec_version *spec)
{
    attempt_unclaim(manager, attempt);
    spec_version_unref(attempt->spec);
    attempt->spec = spec_version_ref(spec);
    attempt_claim(manager, attempt);
}

static void forget_just_final(struct manager *manager, const struct attempt *attempt)
{
    struct attempt **items = manager->just_final;
    for (size_t i = 0; i < manager->just_final_count; i++) {
        if (items[i] != attempt)
            continue;
        if (i < manager->final_under_way) {
            items[i] = items[--manager->final_under_way];
            i = manager->final_under_way;
        }
        items[i] = items[--manager->just_final_count];
        return;
    }
}

void attempt_free(struct manager *manager, struct attempt *attempt)
{
    attempt_release(manager, attempt);
    note_report(manager, is_unreported(attempt), NULL);
    forget_just_final(manager, attempt);
    detach(attempt);
    spec_version_unref(attempt->spec);
    pool_free(&manager->ends, attempt->ends);
    pool_free(&manager->attempts, attempt);
}

/* ---- the state: one setter ---- */

static void note_final(struct manager *manager, struct attempt *attempt)
{
    if (manager->just_final_count == manager->just_final_capacity) {
        manager->just_final_capacity =
            manager->just_final_capacity ? manager->just_final_capacity * 2 : 16;
        manager->just_final =
            mem_resize(manager->just_final, manager->just_final_capacity, sizeof(struct attempt *));
    }
    manager->just_final[manager->just_final_count++] = attempt;
    attempt->since_ms = manager->now.mono_ms;
}

/* False when the table forbids it. */
static bool attempt_set_state(struct manager *manager, struct attempt *attempt,
                              enum attempt_state state, bool next_run)
{
    if (state != attempt->state && !attempt_state_may_follow(attempt->state, state, next_run))
        return false;
    bool ended = !attempt_is_final(attempt) && attempt_state_is_final(state);
    bool was_unreported = is_unreported(attempt);
    attempt->state = state;
    note_report(manager, was_unreported, attempt);
    if (ended)
        note_final(manager, attempt);
    return true;
}

/* ---- observations ---- */

static bool is_healthy(const struct attempt *attempt)
{
    if (attempt->state != ATTEMPT_RUNNING || attempt->health == HEALTH_UNHEALTHY)
        return false;
    return !attempt_task(attempt)->health.count || attempt->health == HEALTH_HEALTHY;
}

static void note_health(struct manager *manager, struct attempt *attempt)
{
    if (attempt_is_final(attempt))
        return;
    if (!is_healthy(attempt))
        attempt->since_ms = 0;
    else if (!attempt->since_ms)
        attempt->since_ms = manager->now.mono_ms;
}

static void copy_observed(struct manager *manager, struct attempt *attempt,
                          const struct observed_attempt *observed)
{
    if (observed->run > attempt->run && !attempt_is_final(attempt))
        attempt->since_ms = 0;
    attempt->run = observed->run;
    attempt->seq = observed->seq;
    attempt->reason = (enum reason)observed->reason;
    attempt->health = (enum health_state)observed->health;
    attempt->started_ms = observed->started_ms;
    struct attempt_ends ends = {observed->restarts, observed->exit_code, observed->finished_ms,
                                attempt_ends(attempt).run_wanted};
    attempt_set_ends(manager, attempt, ends);
}

static void emit_attempt_event(struct manager *manager, const char *kind, enum reason reason,
                               const struct attempt *attempt)
{
    char id[LIMIT_TASK_ID_LENGTH + 1];
    attempt_id(attempt, id);
    emit_event(manager, kind, reason, attempt->binding->job->name, attempt->binding->node->id, id,
               "%s", reason_text((int)reason));
}

/* It has ended by the worker's words: what it held is free, and a failure has consequences. */
static void attempt_ended(struct manager *manager, struct attempt *attempt)
{
    attempt->answered = true;
    attempt->unknown = false;
    attempt_release(manager, attempt);
    mark_assignment(manager, attempt->binding);
    if (attempt->desired == DESIRED_RUN &&
        (attempt->state == ATTEMPT_FAILED || attempt->state == ATTEMPT_REJECTED)) {
        emit_attempt_event(manager, "attempt_failed", attempt->reason, attempt);
        reschedule_after_failure(manager, attempt->instance, attempt);
    }
}

bool attempt_observe(struct manager *manager, struct attempt *attempt,
                     const struct observed_attempt *observed)
{
    struct attempt_order mine = {attempt->run, attempt->state, attempt->seq};
    struct attempt_order theirs = {observed->run, (enum attempt_state)observed->state,
                                   observed->seq};
    if (attempt_is_final(attempt)) {
        /* lost stays lost, but now we know that nothing of it runs */
        if (!attempt->answered && attempt_state_is_final(theirs.state))
            attempt_gone(manager, attempt);
        return false;
    }
    if (attempt_order_compare(&theirs, &mine) <= 0 ||
        !attempt_set_state(manager, attempt, theirs.state, theirs.run > mine.run))
        return false;
    copy_observed(manager, attempt, observed);
    note_health(manager, attempt);
    if (attempt_is_final(attempt))
        attempt_ended(manager, attempt);
    return true;
}

void attempt_remember(struct manager *manager, struct attempt *attempt,
                      const struct known_state *known)
{
    struct attempt_order mine = {attempt->run, attempt->state, attempt->seq};
    struct attempt_order theirs = {known->run, (enum attempt_state)known->state, known->seq};
    if (!known->state || attempt_order_compare(&theirs, &mine) <= 0)
        return;
    attempt_set_state(manager, attempt, theirs.state, theirs.run > mine.run);
    attempt->run = known->run;
    attempt->seq = known->seq;
    attempt->reason = (enum reason)known->reason;
    struct attempt_ends ends = {known->restarts, known->exit_code, known->finished_ms,
                                attempt_ends(attempt).run_wanted};
    attempt_set_ends(manager, attempt, ends);
    note_health(manager, attempt);
    if (!attempt_is_final(attempt) || attempt->state == ATTEMPT_LOST)
        return;
    attempt->answered = true;
    attempt_release(manager, attempt);
}

void attempt_gone(struct manager *manager, struct attempt *attempt)
{
    if (!attempt_is_final(attempt) && !attempt_set_state(manager, attempt, ATTEMPT_STOPPED, false))
        return;
    attempt->answered = true;
    attempt->unknown = false;
    attempt_release(manager, attempt);
    mark_assignment(manager, attempt->binding);
    job_queue(manager, attempt->binding->job);
}

/* ---- decisions ---- */

void attempt_schedule(struct manager *manager, struct attempt *attempt)
{
    attempt_set_state(manager, attempt, ATTEMPT_SCHEDULED, false);
}

void attempt_lose(struct manager *manager, struct attempt *attempt, enum reason reason)
{
    if (!attempt_set_state(manager, attempt, ATTEMPT_LOST, false))
        return;
    attempt->reason = reason;
    attempt->desired = DESIRED_STOP;
    attempt->stop_reason = reason;
    struct attempt_ends ends = attempt_ends(attempt);
    ends.finished_ms = manager->now.wall_ms;
    attempt_set_ends(manager, attempt, ends);
    mark_assignment(manager, attempt->binding);
    emit_attempt_event(manager, "attempt_lost", reason, attempt);
}

void attempt_stop(struct manager *manager, struct attempt *attempt, enum reason reason)
{
    if (attempt->desired == DESIRED_STOP)
        return;
    attempt->desired = DESIRED_STOP;
    attempt->stop_reason = reason;
    cluster_claim_leave(manager->scheduler, attempt->claim);
    node_note_room(manager, attempt->binding->node);
    mark_assignment(manager, attempt->binding);
    mark_job(manager, attempt->binding->job, MARK_STATUS);
}

/* SEMANTICS 4: with stop_after the worker is given the time to stop it by itself, which is the only
 * fence. */
int64_t attempt_give_up_ms(const struct manager *manager, const struct attempt *attempt)
{
    const struct disconnect_policy *policy = &attempt->spec->spec.disconnect;
    const struct spec_version *present = job_present(attempt->binding->job);
    if (present)
        policy = &present->spec.disconnect;
    if (!attempt->unknown || policy->replace == 0 || job_is_everywhere(attempt->binding->job))
        return INT64_MAX;
    int64_t wait = policy->lost_after_ms;
    if (policy->stop_after_ms != UNSET)
        wait += policy->stop_after_ms + attempt_task(attempt)->stop.timeout_ms +
                manager->keepalive_ms * KEEPALIVE_FACTOR_X10 / 10;
    return attempt->binding->node->silent_since_ms + wait;
}

bool attempt_is_given_up(const struct manager *manager, const struct attempt *attempt)
{
    return attempt_give_up_ms(manager, attempt) <= manager->now.mono_ms;
}

/* The present version wants it elsewhere. Only a new version moves what runs: a node whose labels
 * change keeps what it has. */
static bool is_misplaced(const struct attempt *attempt, const struct spec_version *present,
                         const struct task_spec *task)
{
    const struct cluster_node *place = attempt->binding->node->place;
    return place && attempt_is_live(attempt) && !job_type_is_everywhere(present->spec.type) &&
           !cluster_node_matches(&present->demands[spec_task_index(&present->spec, task)], place);
}

bool attempt_is_outdated(const struct attempt *attempt)
{
    const struct spec_version *present = job_present(attempt->binding->job);
    if (!present || attempt->spec == present)
        return false;
    const struct task_spec *task = spec_task(&present->spec, attempt->instance->group->name);
    return !task || task_spec_needs_replacement(attempt_task(attempt), task) ||
           is_misplaced(attempt, present, task);
}

void attempts_note_storing(struct manager *manager)
{
    manager->final_under_way = manager->just_final_count;
}

void attempts_note_committed(struct manager *manager)
{
    struct attempt **items = manager->just_final;
    size_t stored = manager->final_under_way;
    for (size_t i = 0; i < stored; i++) {
        items[i]->final_stored = true;
        job_queue(manager, items[i]->binding->job);
    }
    manager->just_final_count -= stored;
    if (stored)
        memmove(items, items + stored, manager->just_final_count * sizeof(*items));
    manager->final_under_way = 0;
}
