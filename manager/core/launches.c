/* Jobs with a schedule: parents whose children are launched by the clock.
 *
 *   set, started again    times after now are taken
 *   a time has come       it is taken: stored as the last one, in the same transaction as the child
 *   several have come     (nobody led meanwhile) the last of them, once
 *   the last child runs   the time is passed over, unless the schedule allows overlap
 *
 * A child is named after its time, and times only grow: no time is taken twice, whatever is lost
 * and whichever way the clock jumps. A last time that is more than a day ahead is a clock's that
 * was wrong: times after now are taken. */
#include "manager/core/internal.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { SECOND_MS = 1000, AHEAD_MAX_S = 24 * 3600, JUMP_MS = 500 };

/* ---- time zones ---- */

struct known_zone {
    UT_hash_handle hh; /* manager->zones, by name */
    char name[LIMIT_TIMEZONE_LENGTH + 1];
    struct timezone zone; /* owns its changes */
};

static const struct timezone *zone_find(const struct manager *manager, const char *name)
{
    struct known_zone *known;
    if (strcmp(name, "UTC") == 0)
        return &timezone_utc;
    HASH_FIND_STR(manager->zones, name, known);
    return known ? &known->zone : NULL;
}

bool manager_knows_zone(const struct manager *manager, const char *name)
{
    return zone_find(manager, name);
}

void on_zone(struct manager *manager, const struct manager_event *event)
{
    const struct timezone *zone = event->zone->table;
    if (zone_find(manager, event->zone->name) || strlen(event->zone->name) > LIMIT_TIMEZONE_LENGTH)
        return;
    struct known_zone *known = mem_alloc(sizeof(*known));
    strcpy(known->name, event->zone->name);
    known->zone = *zone;
    size_t size = zone->change_count * sizeof(*zone->changes);
    if (size)
        known->zone.changes = memcpy(mem_alloc(size), zone->changes, size);
    HASH_ADD_STR(manager->zones, name, known);
}

void zones_release(struct manager *manager)
{
    struct known_zone *known, *next;
    HASH_ITER(hh, manager->zones, known, next)
    {
        HASH_DEL(manager->zones, known);
        free((void *)known->zone.changes);
        free(known);
    }
}

/* ---- a launch ---- */

static bool child_runs(const struct manager *manager, const struct job *parent)
{
    for (const struct job *job = manager->jobs; job; job = job->hh.next)
        if (job_is_child_of(job, parent->name) && !job_has_ended(job))
            return true;
    return false;
}

static void pass_over(struct manager *manager, struct job *job, enum reason reason,
                      const char *child)
{
    emit_event(manager, "launch_passed_over", reason, job->name, NULL, NULL, "%s: %s", child,
               reason_text((int)reason));
}

static void launch(struct manager *manager, struct job *job, int64_t at_s)
{
    char name[LIMIT_NAME_LENGTH + 1];
    const struct schedule *schedule = job_present(job)->spec.schedule;
    child_name_format(name, job, at_s, 0);
    if (job_find(manager, name))
        return; /* by a manager whose history was lost */
    if (!schedule->overlap && child_runs(manager, job))
        pass_over(manager, job, REASON_STILL_RUNNING, name);
    else if (!job_make_child(manager, job, name, NULL))
        pass_over(manager, job, REASON_LIMIT_REACHED, name);
    else
        emit_event(manager, "launched", REASON_NONE, job->name, NULL, NULL, "%s", name);
}

/* ---- when ---- */

static bool is_scheduled(const struct job *job)
{
    const struct spec_version *present = job_present(job);
    return present && present->spec.schedule && !job->stopped && !job->deleting;
}

static void set_scheduled(struct manager *manager, struct job *job, bool scheduled)
{
    if (job->scheduled == scheduled)
        return;
    job->scheduled = scheduled;
    if (scheduled)
        DL_APPEND2(manager->scheduled, job, scheduled_prev, scheduled_next);
    else
        DL_DELETE2(manager->scheduled, job, scheduled_prev, scheduled_next);
}

static void set_launched(struct manager *manager, struct job *job, int64_t at_s)
{
    if (job->launched_s == at_s)
        return;
    job->launched_s = at_s;
    mark_job(manager, job, MARK_HISTORY);
}

static void set_next(struct manager *manager, struct job *job, int64_t at_s)
{
    if (job->next_launch_s == at_s)
        return;
    job->next_launch_s = at_s;
    mark_job(manager, job, MARK_STATUS);
}

static int64_t now_s(const struct manager *manager)
{
    return manager->now.wall_ms / SECOND_MS;
}

void job_leave_schedule(struct manager *manager, struct job *job)
{
    set_scheduled(manager, job, false);
}

void job_check_schedule(struct manager *manager, struct job *job)
{
    set_scheduled(manager, job, is_scheduled(job));
    if (!job->scheduled) {
        set_launched(manager, job, 0);
        set_next(manager, job, 0);
        return;
    }
    const struct schedule *schedule = job_present(job)->spec.schedule;
    const struct timezone *zone = zone_find(manager, schedule->timezone);
    if (!job->launched_s || job->launched_s > now_s(manager) + AHEAD_MAX_S)
        set_launched(manager, job, now_s(manager));
    if (!zone) {
        set_next(manager, job, 0);
        return;
    }
    int64_t due_s = schedule_last_due(schedule, zone, job->launched_s, now_s(manager));
    if (due_s != INT64_MAX) {
        set_launched(manager, job, due_s);
        launch(manager, job, due_s);
    }
    int64_t next_s = schedule_next(schedule, zone, job->launched_s);
    set_next(manager, job, next_s == INT64_MAX ? 0 : next_s);
    if (next_s != INT64_MAX)
        job_wake_at(manager, job, manager->now.mono_ms + next_s * SECOND_MS - manager->now.wall_ms);
}

void schedules_notice_jump(struct manager *manager)
{
    int64_t ahead_ms = manager->now.wall_ms - manager->now.mono_ms;
    int64_t jump_ms = ahead_ms - manager->wall_ahead_ms;
    if (jump_ms < JUMP_MS && jump_ms > -JUMP_MS)
        return;
    manager->wall_ahead_ms = ahead_ms;
    for (struct job *job = manager->scheduled; job; job = job->scheduled_next)
        job_queue(manager, job);
}
