/* What is lost and found again: the manager's store, the broker's memory, both; other managers. */
#include "cluster.h"

#include "schema/record.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define WEB "{\"image\":\"x\",\"count\":2}"

static struct cluster *old, *fresh;

/* `old` has led, "web" runs twice on n1; `fresh` comes after it. */
static int setup(void **state)
{
    (void)state;
    old = calloc(1, sizeof(*old));
    fresh = calloc(1, sizeof(*fresh));
    cluster_init(old);
    cluster_add_node(old, "n1");
    cluster_set(old, "web", WEB);
    cluster_obey(old, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_release(old);
    cluster_release(fresh);
    free(old);
    free(fresh);
    return 0;
}

static int64_t term_of(const struct cluster *cluster)
{
    return manager_term(cluster->manager);
}

/* The worker n1 of cluster "old" says what it is, as after a connect. */
static void worker_speaks(struct cluster *to, bool live)
{
    const char *runtimes[] = {"docker"};
    struct presence_document presence = {.state = PRESENCE_ONLINE, .session = 2};
    struct node_info info = {
        .head = {.cluster = manager_cluster(old->manager), .term = term_of(old), .seq = 900},
        .datacenter = "dc1",
        .capacity = {4000, (int64_t)4 << 30, (int64_t)4 << 30},
        .runtimes = {runtimes, 1},
        .interval_ms = 10000,
    };
    cluster_step(
        to, &(struct manager_event){
                .kind = EVENT_NODE_PRESENCE, .node = "n1", .live = live, .presence = &presence});
    cluster_step(to, &(struct manager_event){
                         .kind = EVENT_NODE_INFO, .node = "n1", .live = live, .node_info = &info});
}

static void a_manager_started_again_on_its_store_changes_nothing(void **state)
{
    (void)state;
    cluster_init_recovering(fresh, "m1", term_of(old));
    cluster_hear_all(fresh, old, true);
    cluster_lead(fresh);
    assert_int_equal(term_of(fresh), term_of(old));
    assert_null(cluster_assignment(fresh, "n1", "web"));
    cluster_obey(fresh, NULL);
    assert_int_equal(cluster_status(fresh, "web")->wanted, 2);
    assert_int_equal(cluster_status(fresh, "web")->counts.pending, 0);
}

static void an_emptied_manager_hears_everything_and_leads_with_the_next_term(void **state)
{
    (void)state;
    cluster_init_recovering(fresh, "m2", 0);
    cluster_hear_all(fresh, old, false);
    cluster_lead(fresh);
    cluster_renew_all(fresh);
    assert_int_equal(term_of(fresh), term_of(old) + 1);
    assert_string_equal(manager_cluster(fresh->manager), manager_cluster(old->manager));
    assert_int_equal(cluster_wanted(fresh, "n1", "web"), 2);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(cluster_attempt(fresh, "n1", "web", i)->id,
                            cluster_attempt(old, "n1", "web", i)->id);
    assert_int_equal(cluster_assignment(fresh, "n1", "web")->head.term, term_of(old) + 1);
}

static void nothing_is_written_before_the_picture_is_whole(void **state)
{
    (void)state;
    cluster_init_recovering(fresh, "m2", 0);
    cluster_hear_all(fresh, old, false);
    worker_speaks(fresh, true);
    cluster_pass(fresh, 60000, (const char *[]){"n1", NULL});
    assert_int_equal(fresh->document_count, 0);
    assert_int_equal(fresh->asked_count, 0);
}

static void a_smaller_document_changes_nothing(void **state)
{
    (void)state;
    struct job_document stale = cluster_document(old, "jobs/web/spec")->job_document;
    cluster_init_recovering(fresh, "m2", 0);
    cluster_hear_all(fresh, old, false);
    stale.head.seq = 0;
    stale.version = 9;
    stale.stopped = true;
    cluster_step(fresh, &(struct manager_event){
                            .kind = EVENT_JOB_DOCUMENT, .job = "web", .job_document = &stale});
    cluster_lead(fresh);
    assert_false(cluster_document(fresh, "jobs/web/spec")->job_document.stopped);
    assert_int_equal(cluster_document(fresh, "jobs/web/spec")->job_document.version, 1);
}

static void a_completed_batch_is_not_run_again_by_an_emptied_manager(void **state)
{
    (void)state;
    cluster_set(old, "sums", "{\"image\":\"x\",\"type\":\"batch\"}");
    cluster_report(old, "n1", "sums", 0, ATTEMPT_COMPLETED, 0);
    cluster_init_recovering(fresh, "m2", 0);
    cluster_hear_all(fresh, old, false);
    cluster_lead(fresh);
    assert_int_equal(cluster_wanted(fresh, NULL, "sums"), 0);
    assert_int_equal(cluster_status(fresh, "sums")->state, JOB_COMPLETED);
}

static void reschedules_granted_survive_the_manager(void **state)
{
    (void)state;
    cluster_set(old, "sums", "{\"image\":\"x\",\"type\":\"batch\"}");
    cluster_report(old, "n1", "sums", 0, ATTEMPT_FAILED, 3);
    cluster_pass(old, 6000, (const char *[]){"n1", NULL});
    cluster_init_recovering(fresh, "m1", term_of(old));
    fresh->now = old->now;
    fresh->seq = old->seq;
    cluster_hear_all(fresh, old, false);
    cluster_lead(fresh);
    cluster_report_id(fresh, "n1", cluster_attempt(old, "n1", "sums", 1)->id, ATTEMPT_FAILED, 3);
    cluster_pass(fresh, 60000, (const char *[]){"n1", NULL});
    assert_int_equal(cluster_status(fresh, "sums")->state, JOB_FAILED);
}

static void a_deleted_job_stays_deleted_when_an_old_copy_turns_up(void **state)
{
    (void)state;
    struct arena arena = ARENA_EMPTY;
    struct job_document copy;
    const struct document *spec = cluster_document(old, "jobs/web/spec");
    assert_int_equal(record_copy(&job_document_record, &spec->job_document, &arena, &copy), 0);
    cluster_command(old, COMMAND_JOB_DELETE, "web");
    cluster_obey(old, NULL);
    cluster_init_recovering(fresh, "m1", term_of(old));
    cluster_hear_all(fresh, old, true);
    cluster_step(fresh, &(struct manager_event){
                            .kind = EVENT_JOB_DOCUMENT, .job = "web", .job_document = &copy});
    cluster_lead(fresh);
    worker_speaks(fresh, true);
    assert_int_equal(cluster_wanted(fresh, NULL, "web"), 0);
    assert_null(cluster_document(fresh, "jobs/web/spec")); /* the stored tombstone is said again */
    arena_release(&arena);
}

static void
when_store_and_broker_are_gone_the_workers_are_asked_and_nothing_is_restarted(void **state)
{
    (void)state;
    cluster_init_recovering(fresh, "m2", 0);
    cluster_lead(fresh);
    worker_speaks(fresh, true);
    assert_int_equal(fresh->asked_count, 1);
    assert_null(cluster_document(fresh, "nodes/n1/desired")); /* its index would end what runs */
    cluster_answer(fresh, "n1", cluster_assignment(old, "n1", "web"), 1, 1);
    assert_string_equal(manager_cluster(fresh->manager), manager_cluster(old->manager));
    assert_true(term_of(fresh) > term_of(old));
    assert_int_equal(cluster_wanted(fresh, "n1", "web"), 2);
    assert_string_equal(cluster_attempt(fresh, "n1", "web", 0)->id,
                        cluster_attempt(old, "n1", "web", 0)->id);
    assert_int_equal(cluster_document(fresh, "nodes/n1/desired")->node_desired.assignments.count,
                     1);
    cluster_pass(fresh, 90000, (const char *[]){"n1", NULL});
    assert_int_equal(cluster_wanted(fresh, NULL, "web"), 2);
    assert_int_equal(cluster_document(fresh, "jobs/web/spec")->job_document.version, 1);
}

static void an_adopted_job_waits_for_its_other_nodes_before_it_is_completed(void **state)
{
    (void)state;
    struct assignment half = *cluster_assignment(old, "n1", "web");
    cluster_init_recovering(fresh, "m2", 0);
    cluster_lead(fresh);
    worker_speaks(fresh, true);
    half.attempts.count = 1;
    cluster_answer(fresh, "n1", &half, 1, 1);
    assert_int_equal(cluster_wanted(fresh, NULL, "web"), 1);
    cluster_pass(fresh, 20000, (const char *[]){"n1", NULL});
    assert_int_equal(cluster_wanted(fresh, NULL, "web"), 1);
    assert_string_equal(cluster_pending_reason(fresh, "web", 0), "recovering");
    cluster_pass(fresh, 30000, (const char *[]){"n1", NULL});
    assert_int_equal(cluster_wanted(fresh, NULL, "web"), 2);
}

static void a_question_is_asked_again_until_it_is_answered(void **state)
{
    (void)state;
    cluster_init_recovering(fresh, "m2", 0);
    cluster_lead(fresh);
    worker_speaks(fresh, true);
    cluster_set(fresh, "other", "{\"image\":\"x\"}");
    assert_string_equal(cluster_pending_reason(fresh, "other", 0), "recovering");
    cluster_pass(fresh, ANSWER_TIMEOUT_MS, (const char *[]){"n1", NULL});
    assert_int_equal(fresh->asked_count, 2);
    cluster_answer(fresh, "n1", NULL, 0, 0);
    assert_int_equal(cluster_wanted(fresh, "n1", "other"), 1);
}

static void a_node_that_never_heard_of_a_cluster_is_not_asked(void **state)
{
    (void)state;
    cluster_init_recovering(fresh, "m2", 0);
    cluster_lead(fresh);
    cluster_add_node(fresh, "new");
    assert_int_equal(fresh->asked_count, 0);
    assert_non_null(cluster_document(fresh, "nodes/new/desired"));
}

static void an_index_that_names_an_unheard_assignment_makes_us_ask(void **state)
{
    (void)state;
    cluster_init_recovering(fresh, "m2", 0);
    const struct document *desired = cluster_document(old, "nodes/n1/desired");
    cluster_step(fresh, &(struct manager_event){.kind = EVENT_NODE_DESIRED,
                                                .node = "n1",
                                                .node_desired = &desired->node_desired});
    worker_speaks(fresh, false);
    cluster_lead(fresh);
    assert_int_equal(fresh->asked_count, 1);
    cluster_renew_all(fresh);
    assert_null(
        cluster_document(fresh, "nodes/n1/assign/web")); /* a tombstone, as far as we know */
    assert_null(cluster_document(fresh, "nodes/n1/desired"));
}

static void a_node_of_another_cluster_gets_nothing(void **state)
{
    (void)state;
    cluster_init(fresh);
    cluster_add_node(fresh, "own");
    struct node_info own = {.head = {.cluster = manager_cluster(fresh->manager), .seq = 50},
                            .datacenter = "dc1"};
    cluster_step(fresh,
                 &(struct manager_event){
                     .kind = EVENT_NODE_INFO, .node = "own", .live = true, .node_info = &own});
    struct node_info other = {.head = {.cluster = "another", .seq = 50}, .datacenter = "dc1"};
    cluster_step(fresh,
                 &(struct manager_event){
                     .kind = EVENT_NODE_INFO, .node = "n1", .live = true, .node_info = &other});
    assert_true(cluster_saw_event(fresh, "foreign_cluster"));
    assert_null(cluster_document(fresh, "nodes/n1/desired"));
    cluster_command(fresh, COMMAND_NODE_DELETE, "own");
    cluster_set(fresh, "job", "{\"image\":\"x\"}");
    assert_string_equal(cluster_pending_reason(fresh, "job", 0), "foreign_cluster");
}

static void a_manager_that_hears_a_higher_leader_steps_down(void **state)
{
    (void)state;
    struct manager_status other = {.head = {.cluster = manager_cluster(old->manager),
                                            .manager = "m9",
                                            .term = term_of(old) + 1},
                                   .state = MANAGER_LEADING};
    cluster_step(old, &(struct manager_event){
                          .kind = EVENT_MANAGER_STATUS, .live = true, .manager_status = &other});
    assert_int_equal(manager_phase(old->manager), PHASE_SUPERSEDED);
    assert_false(cluster_command(old, COMMAND_JOB_STOP, "web")->accepted);
    cluster_lose_link(old);
    cluster_lead(old);
    assert_int_equal(manager_phase(old->manager), PHASE_SUPERSEDED);
}

static void a_term_that_a_worker_refuses_is_raised(void **state)
{
    (void)state;
    struct node_info info = {
        .head = {.cluster = manager_cluster(old->manager), .term = term_of(old) + 5, .seq = 77},
        .datacenter = "dc1"};
    int64_t before = term_of(old);
    cluster_step(old, &(struct manager_event){
                          .kind = EVENT_NODE_INFO, .node = "n2", .live = true, .node_info = &info});
    assert_int_equal(term_of(old), before + 6);
    cluster_renew_all(old);
    assert_int_equal(cluster_assignment(old, "n1", "web")->head.term, before + 6);
}

static void a_foreign_document_on_our_topic_is_written_over(void **state)
{
    (void)state;
    struct assignment forged = *cluster_assignment(old, "n1", "web");
    int64_t writes = cluster_writes(old, "nodes/n1/assign/web");
    forged.head.manager = "somebody";
    forged.head.term = 1;
    cluster_step(old, &(struct manager_event){.kind = EVENT_ASSIGNMENT,
                                              .node = "n1",
                                              .job = "web",
                                              .live = true,
                                              .assignment = &forged});
    assert_int_equal(cluster_writes(old, "nodes/n1/assign/web"), writes + 1);
    assert_int_equal(cluster_wanted(old, "n1", "web"), 2);
}

/* Found by the simulation, seed 1092: somebody says again what we said a while ago. */
static void an_old_document_of_our_own_term_is_written_over(void **state)
{
    (void)state;
    struct assignment said = *cluster_assignment(old, "n1", "web");
    int64_t writes = cluster_writes(old, "nodes/n1/assign/web");
    said.head.seq--;
    cluster_step(old, &(struct manager_event){.kind = EVENT_ASSIGNMENT,
                                              .node = "n1",
                                              .job = "web",
                                              .live = true,
                                              .assignment = &said});
    assert_int_equal(cluster_writes(old, "nodes/n1/assign/web"), writes + 1);
    assert_int_equal(cluster_wanted(old, "n1", "web"), 2);
}

static void our_own_echo_is_not_written_over(void **state)
{
    (void)state;
    int64_t writes = cluster_writes(old, "nodes/n1/assign/web");
    cluster_step(old, &(struct manager_event){.kind = EVENT_ASSIGNMENT,
                                              .node = "n1",
                                              .job = "web",
                                              .live = true,
                                              .assignment = cluster_assignment(old, "n1", "web")});
    assert_int_equal(cluster_writes(old, "nodes/n1/assign/web"), writes);
}

static void the_same_events_give_the_same_effects(void **state)
{
    (void)state;
    cluster_init(fresh);
    cluster_add_node(fresh, "n1");
    cluster_set(fresh, "web", WEB);
    cluster_obey(fresh, NULL);
    assert_int_equal(fresh->document_count, old->document_count);
    for (size_t i = 0; i < old->document_count; i++) {
        const struct document *a = &old->documents[i].document, *b = &fresh->documents[i].document;
        assert_string_equal(a->topic, b->topic);
        assert_true(record_equal(a->record, &a->job_document, &b->job_document));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_manager_started_again_on_its_store_changes_nothing),
        TEST(an_emptied_manager_hears_everything_and_leads_with_the_next_term),
        TEST(nothing_is_written_before_the_picture_is_whole),
        TEST(a_smaller_document_changes_nothing),
        TEST(a_completed_batch_is_not_run_again_by_an_emptied_manager),
        TEST(reschedules_granted_survive_the_manager),
        TEST(a_deleted_job_stays_deleted_when_an_old_copy_turns_up),
        TEST(when_store_and_broker_are_gone_the_workers_are_asked_and_nothing_is_restarted),
        TEST(an_adopted_job_waits_for_its_other_nodes_before_it_is_completed),
        TEST(a_question_is_asked_again_until_it_is_answered),
        TEST(a_node_that_never_heard_of_a_cluster_is_not_asked),
        TEST(an_index_that_names_an_unheard_assignment_makes_us_ask),
        TEST(a_node_of_another_cluster_gets_nothing),
        TEST(a_manager_that_hears_a_higher_leader_steps_down),
        TEST(a_term_that_a_worker_refuses_is_raised),
        TEST(a_foreign_document_on_our_topic_is_written_over),
        TEST(an_old_document_of_our_own_term_is_written_over),
        TEST(our_own_echo_is_not_written_over),
        TEST(the_same_events_give_the_same_effects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
