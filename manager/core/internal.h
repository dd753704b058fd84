/* What the files of manager/core do for each other, by file. What they do it to is in state.h. */
#ifndef ARGOSY_MANAGER_CORE_INTERNAL_H
#define ARGOSY_MANAGER_CORE_INTERNAL_H

#include "manager/core/state.h"
#include "platform/base/err.h"

/* ---- timers.c ---- */

void timer_init(struct timer *timer, void (*fire)(struct manager *, void *), void *owner);
void timer_set(struct deadlines *timers, struct timer *timer, int64_t due_ms);
void timer_unset(struct deadlines *timers, struct timer *timer);
struct timer *timers_first(const struct deadlines *timers);

/* ---- specs.c ---- */

/* A copy with one reference and with every default: what was stored or said by another argosy may
 * lack some. NULL when it has no name, or there is no memory for it. */
struct spec_version *spec_version_new(const struct job_spec *spec, int64_t version,
                                      int64_t submitted_ms);
struct spec_version *spec_version_ref(struct spec_version *version);
void spec_version_unref(struct spec_version *version);
/* NULL when the spec has no such task. */
const struct task_spec *spec_task(const struct job_spec *spec, const char *name);
size_t spec_task_index(const struct job_spec *spec, const struct task_spec *task);

/* ---- renew.c ---- */

void renew_begin(struct manager *manager);
/* That node goes. */
void renew_forget(struct manager *manager, const struct node *node);

/* ---- effects.c ---- */

void mark_job(struct manager *manager, struct job *job, enum mark_bit bit);
/* A buried job has no status any more. */
/* Whether its history says more than its specification, or did: one that says nothing is not
 * written. */
bool job_has_history(const struct job *job);
void mark_job_withdraw_status(struct manager *manager, struct job *job);
void mark_desired(struct manager *manager, struct node *node);
/* The assignment's content changed: the next revision, and with it the node's index. */
void mark_assignment(struct manager *manager, struct binding *binding);
void mark_manager_status(struct manager *manager);
/* Of what it holds now; its revision stays. */
void mark_binding(struct manager *manager, struct binding *binding);
/* Every document anew (a new term); assignments by and by. */
void mark_everything(struct manager *manager);
void emit_event(struct manager *manager, const char *kind, enum reason reason, const char *job,
                const char *node, const char *task, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
void emit_clear(struct manager *manager, enum clear_kind kind, const char *topic);
void emit_ask(struct manager *manager, struct node *node);

/* ---- graves.c ---- */

/* A topic's document has become a tombstone, or is none any more. */
void grave_dig(struct manager *manager, enum topic_kind kind, const char *first,
               const char *second);
void grave_close(struct manager *manager, enum topic_kind kind, const char *first,
                 const char *second);
/* All tombstones were published again (a new connection): clear their topics again. */
void graves_clear_again(struct manager *manager);
void graves_release(struct manager *manager);

/* ---- jobs.c ---- */

struct job *job_find(struct manager *manager, const char *name);
struct job *job_obtain(struct manager *manager, const char *name);
void job_free(struct manager *manager, struct job *job);
static inline struct spec_version *job_present(const struct job *job)
{
    return job->version_count ? job->versions[0] : NULL;
}
/* Takes the reference; keeps the newest six. Replaces one of the same number. */
void job_add_version(struct job *job, struct spec_version *version);
struct spec_version *job_version(const struct job *job, int64_t version);
void job_queue(struct manager *manager, struct job *job);
/* Looks at the job again at `due_ms` (monotonic) at the latest. */
void job_wake_at(struct manager *manager, struct job *job, int64_t due_ms);
struct group *job_group(const struct job *job, const char *task);
struct group *job_group_obtain(struct job *job, const char *task);
struct instance *group_instance(const struct group *group, int64_t index);
struct instance *group_instance_obtain(struct manager *manager, struct group *group, int64_t index);
/* Frees it when nothing hangs on it. */
void instance_drop(struct manager *manager, struct instance *instance);
/* Ends a job for good: tombstones and cleared topics. Nothing of it may be left. */
void job_bury(struct manager *manager, struct job *job);

/* ---- bindings.c ---- */

struct binding *binding_find(const struct node *node, const struct job *job);
struct binding *binding_obtain(struct manager *manager, struct node *node, struct job *job);
void binding_free(struct manager *manager, struct binding *binding);
/* Does nothing when it is not larger than what it has. */
void binding_raise_revision(struct binding *binding, int64_t revision);
/* Tombstones the assignment when no attempt is left in it. */
void binding_bury_if_empty(struct manager *manager, struct binding *binding);

/* ---- attempts.c ---- */

struct attempt *attempt_find(struct manager *manager, const char *id);
/* NULL: none of its attempts has that suffix. */
struct attempt *instance_attempt(const struct instance *instance, const char *suffix);
/* `ret_id` holds LIMIT_TASK_ID_LENGTH + 1. */
void attempt_id(const struct attempt *attempt, char *ret_id);
/* The same as comparing it; `id` is a valid one. */
bool attempt_has_id(const struct attempt *attempt, const char *id);
/* An attempt of `instance` on `node`, desired to run, holding its resources. */
struct attempt *attempt_new(struct manager *manager, const char *suffix, struct instance *instance,
                            struct node *node, struct spec_version *spec);
void attempt_free(struct manager *manager, struct attempt *attempt);
/* What it runs, as its version says. */
static inline const struct task_spec *attempt_task(const struct attempt *attempt)
{
    return spec_task(&attempt->spec->spec, attempt->instance->group->name);
}
static inline bool attempt_is_final(const struct attempt *attempt)
{
    return attempt_state_is_final(attempt->state);
}
static inline bool attempt_is_live(const struct attempt *attempt)
{
    return !attempt_is_final(attempt) && attempt->desired == DESIRED_RUN;
}
/* A version that changes nothing of what runs. */
void attempt_set_spec(struct manager *manager, struct attempt *attempt, struct spec_version *spec);
/* Applies an observation when it is newer. True when something changed. */
bool attempt_observe(struct manager *manager, struct attempt *attempt,
                     const struct observed_attempt *observed);
/* Restores what a document of ours said was known. */
void attempt_remember(struct manager *manager, struct attempt *attempt,
                      const struct known_state *known);
/* Gives it up for good. */
void attempt_lose(struct manager *manager, struct attempt *attempt, enum reason reason);
/* The worker says that nothing of it is left. */
void attempt_gone(struct manager *manager, struct attempt *attempt);
/* It was placed: pending -> scheduled. */
/* What is known of the ends of its runs. */
struct attempt_ends attempt_ends(const struct attempt *attempt);
/* A run of that number is to be reached. */
void attempt_want_run(struct manager *manager, struct attempt *attempt, int64_t run);
void attempt_schedule(struct manager *manager, struct attempt *attempt);
void attempt_stop(struct manager *manager, struct attempt *attempt, enum reason reason);
/* Its node was silent for so long that its policy lets it be replaced. */
bool attempt_is_given_up(const struct manager *manager, const struct attempt *attempt);
/* Monotonic time of that, INT64_MAX: never. */
int64_t attempt_give_up_ms(const struct manager *manager, const struct attempt *attempt);
bool attempt_is_outdated(const struct attempt *attempt);
/* Its node is silent, or no longer. */
void attempt_set_unknown(struct manager *manager, struct attempt *attempt, bool unknown);
void attempts_note_storing(struct manager *manager);
void attempts_note_committed(struct manager *manager);

/* ---- claims.c: the scheduler's picture ---- */

/* What it holds counts from now on, or does not any more. */
void attempt_claim(struct manager *manager, struct attempt *attempt);
void attempt_unclaim(struct manager *manager, struct attempt *attempt);
/* Room for the instance on a node where others are still to leave. */
void reservation_make(struct manager *manager, struct instance *instance, struct node *node);
/* NULL: the instance waits for no room that is being made. */
struct reservation *reservation_of(const struct manager *manager, const struct instance *instance);
/* Does nothing when it has none. */
void reservation_drop(struct manager *manager, struct instance *instance);
/* To ask what else fits there, and back. */
void reservation_lift(struct manager *manager, struct reservation *reservation);
void reservation_renew(struct manager *manager, struct reservation *reservation);
/* What the node is has changed. */
void node_describe(struct manager *manager, struct node *node);
/* What its heartbeat says is used; nothing of it is gone by when it comes too rarely. */
void node_hear_load(struct manager *manager, struct node *node, const struct number_map *numbers);
/* The scheduler forgets the node. */
void node_undescribe(struct manager *manager, struct node *node);

/* ---- placing.c ---- */

/* What the present version asks for an instance; NULL: it has no such task. */
const struct cluster_demand *group_demand(const struct group *group);
/* True when it should be placed now; else it is not its time, and it is looked at again. */
bool instance_wants_placing(struct manager *manager, struct instance *instance);
/* On that node, NULL: where it is best. True also when it only has a reservation now; false: no
 * node can take it. */
bool instance_place(struct manager *manager, struct instance *instance, struct node *only);
void instance_wait_for_room(struct manager *manager, struct instance *instance, enum reason reason);
/* It has none, or one for what the present version asks. */
bool reservation_is_current(const struct manager *manager, const struct instance *instance);
/* Every instance of the group below `count` that should be. */
void group_place(struct manager *manager, struct group *group, int64_t count);
/* Why instances of the group are pending; NULL: none is for lack of a node. */
void group_explain(struct manager *manager, struct group *group,
                   const struct cluster_explanation *explanation);

/* ---- waiting.c: the line of jobs that lack room ---- */

void line_init(struct manager *manager);
int64_t job_priority(const struct job *job);
bool job_may_preempt(const struct manager *manager, const struct job *job);
/* Joins the line, stays where it is in it, or leaves it. */
void job_set_waiting(struct manager *manager, struct job *job, bool waiting);
/* Room was made there, or it is another than it was. */
void node_note_room(struct manager *manager, struct node *node);
void node_forget_room(struct manager *manager, struct node *node);
/* Queues who waits, to be asked by job_might_go(). */
void line_move(struct manager *manager);
/* Whether one of the nodes that have changed might take something of it. */
bool job_might_go(const struct manager *manager, const struct job *job);

/* ---- everywhere.c: system and sysbatch jobs ---- */

/* Whether the job has one instance on each node that matches. */
bool job_is_everywhere(const struct job *job);
/* Whether it is to be looked at when a node changes. */
void job_set_everywhere(struct manager *manager, struct job *job, bool everywhere);
/* The node has changed: queues the jobs that should have, or not have, an instance there. */
void node_wake_everywhere(struct manager *manager, struct node *node);
/* Whether new work may be placed on it. */
bool node_takes_work(const struct node *node);
/* Where the instance belongs; NULL: not known. */
struct node *instance_node(const struct instance *instance);
void instance_pin(struct instance *instance, struct node *node);
/* The same of all instances, by their attempts. */
void group_pin(struct group *group);
/* Whether the instance is its node's, and the node matches the job. */
bool instance_belongs(const struct instance *instance);
/* An instance for each node that matches and has none, and a place for each that has no attempt. */
void group_place_everywhere(struct manager *manager, struct group *group);

/* ---- children.c: jobs that are only run by their children ---- */

bool job_is_parent(const struct job *job);
bool job_is_child_of(const struct job *job, const char *parent);
/* All that is wanted of it has completed, or failed for good. */
bool job_has_ended(const struct job *job);
/* The name of the n-th child of a second (since 1970). */
void child_name_format(char ret_name[LIMIT_NAME_LENGTH + 1], const struct job *parent, int64_t at_s,
                       unsigned counter);
/* `arguments` NULL: it has none. NULL: refused, and the verdict says why. */
struct job *job_make_child(struct manager *manager, const struct job *parent, const char *name,
                           const struct dispatch_arguments *arguments);
/* A child that has ended makes the oldest of those that ended before it go. */
void job_note_ended(struct manager *manager, struct job *job);

/* ---- launches.c: children by the clock ---- */

void on_zone(struct manager *manager, const struct manager_event *event);
void zones_release(struct manager *manager);
/* Launches what is due, and looks again when the next one will be. */
void job_check_schedule(struct manager *manager, struct job *job);
void job_leave_schedule(struct manager *manager, struct job *job);
/* The wall clock went another way than the monotonic one. */
void schedules_notice_jump(struct manager *manager);

/* ---- dependencies.c ---- */

/* Notes whether what the job depends on is there; once it was, it is not asked for again. */
void job_check_dependencies(struct manager *manager, struct job *job);
/* The job was looked at: those that wait for it may go on. */
void job_wake_dependents(struct manager *manager, const struct job *job);
void job_set_gated(struct manager *manager, struct job *job, bool gated);
/* "waits until job db is healthy". NULL: out of memory. */
const char *job_dependency_text(const struct job *job, struct arena *arena);
/* False, with the circle among the problems, when the job would in the end wait for itself. */
bool dependencies_are_sound(struct manager *manager, const char *name, const struct job_spec *spec,
                            struct problems *problems);

/* ---- instances.c, updates.c, reschedule.c ---- */

/* Does what should be done for the job now. */
void job_reconcile(struct manager *manager, struct job *job);
bool instance_is_wanted(const struct instance *instance);
/* The same, for many of a group: `task` is theirs in the present version, NULL: none. */
bool instance_is_wanted_by(const struct instance *instance, const struct task_spec *task);
/* In the present version, or NULL. */
const struct task_spec *instance_task(const struct instance *instance);
/* Something of it may run. */
bool instance_is_blocked(const struct manager *manager, const struct instance *instance);
void instance_set_waiting(struct manager *manager, struct instance *instance, enum reason reason);
/* The instance has ended as it should (completed) or for good (failed). */
bool instance_is_completed(const struct instance *instance);
bool instance_is_exhausted(const struct instance *instance);
/* Stops as many outdated attempts of the group as its policy allows now. */
void group_update(struct manager *manager, struct group *group);
/* An attempt of it has not ended that runs what an older version of the job said. */
bool instance_is_outdated(const struct instance *instance);
/* Whether the attempt has been healthy for min_healthy; monotonic time of that, INT64_MAX: it is
 * not healthy. */
int64_t attempt_settles_at_ms(const struct attempt *attempt);
bool attempt_is_settled(const struct manager *manager, const struct attempt *attempt);

/* A wanted instance's attempt failed: when and whether it is placed again. */
void reschedule_after_failure(struct manager *manager, struct instance *instance,
                              const struct attempt *attempt);
/* Wall time before which it is not placed again; 0: it does not wait. */
static inline int64_t reschedule_due_ms(const struct instance *instance)
{
    return instance->reschedule ? instance->reschedule->due_ms : 0;
}
/* It was placed. */
void reschedule_done(struct manager *manager, struct instance *instance);
struct reschedule *reschedule_obtain(struct instance *instance);
void reschedule_forget(struct instance *instance);
void reschedule_add_node(struct reschedule *reschedule, const char *node);

/* ---- nodes.c, liveness.c, asks.c ---- */

struct node *node_find(struct manager *manager, const char *id);
struct node *node_obtain(struct manager *manager, const char *id);
/* The same for what workers say: NULL when it is new and there are too many. */
struct node *node_admit(struct manager *manager, const char *id);
void node_free(struct manager *manager, struct node *node);
/* Whether, and why not, it takes new work has changed. */
void node_refresh(struct manager *manager, struct node *node);
void node_queue_jobs(struct manager *manager, struct node *node);
void node_set_labels(struct node *node, const struct string_map *labels);
void node_delete(struct manager *manager, struct node *node);
/* Its index becomes a tombstone, above whose session it is another node. */
void node_bury(struct manager *manager, struct node *node);
/* It is known to be there again after it was deleted. */
void node_revive(struct manager *manager, struct node *node);

void node_heard(struct manager *manager, struct node *node);
/* Nobody could be heard for a while: every node gets a full grace. Who was silent before counts as
 * silent from its end: it may have been there meanwhile. */
void nodes_begin_grace(struct manager *manager);
void node_set_grace(struct manager *manager, struct node *node);
void node_timer_fired(struct manager *manager, void *owner);
int64_t node_silence_ms(const struct manager *manager, const struct node *node);

/* Asks a node for its stored assignments unless it is certain that it has none that we do not know.
 */
void node_ask(struct manager *manager, struct node *node);
void node_settle(struct manager *manager, struct node *node);
void node_settle_or_ask(struct manager *manager, struct node *node);
void node_ask_timer_fired(struct manager *manager, void *owner);

/* ---- strays.c ---- */

/* Whether something of the job runs there that hangs in no assignment. */
void node_set_stray(struct manager *manager, struct node *node, const char *job, bool there);
void node_forget_strays(struct node *node);

/* ---- one file an event ---- */

void on_presence(struct manager *manager, const struct manager_event *event);
void on_node_info(struct manager *manager, const struct manager_event *event);
void on_node_state(struct manager *manager, const struct manager_event *event);
void on_heartbeat(struct manager *manager, const struct manager_event *event);
void on_answer_assignment(struct manager *manager, const struct manager_event *event);
void on_job_document(struct manager *manager, const struct manager_event *event);
void on_job_history(struct manager *manager, const struct manager_event *event);
void on_node_desired(struct manager *manager, const struct manager_event *event);
void on_assignment(struct manager *manager, const struct manager_event *event);
void on_job_status(struct manager *manager, const struct manager_event *event);
void on_state_cleared(struct manager *manager, const struct manager_event *event);
void on_unreadable(struct manager *manager, const struct manager_event *event);
void on_manager_status(struct manager *manager, const struct manager_event *event);
void on_picture_whole(struct manager *manager, const struct manager_event *event);
void on_renew(struct manager *manager, const struct manager_event *event);
void on_link_lost(struct manager *manager, const struct manager_event *event);
void on_command(struct manager *manager, const struct manager_event *event);

/* commands_jobs.c, commands_nodes.c: each fills in effects->verdict. */
void command_job_set(struct manager *manager, const char *name, const struct command *command);
void command_job_stop(struct manager *manager, const char *name, const struct command *command);
void command_job_delete(struct manager *manager, const char *name, const struct command *command);
void command_job_scale(struct manager *manager, const char *name, const struct command *command);
void command_job_restart(struct manager *manager, const char *name, const struct command *command);
void command_job_dispatch(struct manager *manager, const char *name, const struct command *command);
/* What commands on jobs share. False: rejected, the job has another version. */
bool version_is_expected(struct manager *manager, const struct job *job,
                         const struct command *command);
/* NULL when there is none, or none any more. */
struct job *job_existing(struct manager *manager, const char *name);
/* The job gets a new version; false when there is no memory for it (rejected). */
bool job_advance(struct manager *manager, struct job *job, const struct job_spec *spec);
/* To be stored, told and looked at. */
void job_changed(struct manager *manager, struct job *job);
void command_node(struct manager *manager, const char *id, const struct command *command);
void verdict_accept(struct manager *manager, int64_t version, bool changed);
void verdict_reject(struct manager *manager, enum reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- order.c, recovery.c ---- */

/* 0: none was written or heard. */
int64_t order_term(const struct order *order);
int order_compare(const struct order *order, const struct manager_head *head);
void order_take(struct manager *manager, struct order *order, const struct manager_head *head);
void reigns_release(struct manager *manager);
/* The head of the next document of ours. */
struct manager_head head_next(struct manager *manager, struct order *order, bool tombstone);
/* Whether a document that was heard is to be taken: larger than what we have, of our cluster, and
 * not heard while we lead. Notes its term, cluster and seq. `ret_overwrite`: ours is to be written
 * again. */
bool document_is_news(struct manager *manager, const struct manager_event *event,
                      const struct manager_head *head, const struct order *order,
                      bool *ret_overwrite);
/* Takes over what an assignment says: versions, attempts, revision. */
void adopt_assignment(struct manager *manager, struct job *job, struct node *node,
                      const struct assignment *assignment);
/* A manager's own word: `from` leads, or led, with it. */
void term_hear(struct manager *manager, int64_t term, const char *from);
/* A worker's word has no leader behind it that is still there: we lead on with a larger term.
 * `from`: NULL when not known. */
void term_outbid(struct manager *manager, int64_t term, const char *from);
/* Leads on with a larger one: every document is written anew. */
void term_raise(struct manager *manager, int64_t term);
void cluster_hear(struct manager *manager, const char *cluster);

/* ---- status.c ---- */

/* Something of it went on: its status is to say so, soon. */
void job_note_progress(struct manager *manager, struct job *job);
void job_status_timer_fired(struct manager *manager, void *job);
int status_fill(struct manager *manager, struct job *job, struct arena *arena,
                struct job_status *ret_status);

#endif
