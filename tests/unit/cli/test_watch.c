/* What a job's status means to somebody who waits for it. */
#include "tests/unit/unit.h"

#include "cli/watch.h"
#include "schema/reasons.h"

static struct pending_group group(enum reason reason)
{
    return (struct pending_group){.reason = reason_to_string((int)reason), .count = 1};
}

static enum watch_verdict running(const struct job_status *status)
{
    const struct job_document document = {.version = 2};
    return watch_judge(WATCH_UNTIL_RUNNING, 2, &document, status);
}

static void nothing_is_reached_before_the_status_is_of_the_accepted_version(void **state)
{
    (void)state;
    struct job_status status = {
        .version = 1, .type = JOB_SERVICE, .state = JOB_RUNNING, .wanted = 1, .counts.running = 1};
    assert_int_equal(running(NULL), WATCH_GOES_ON);
    assert_int_equal(running(&status), WATCH_GOES_ON);
    status.version = 2;
    assert_int_equal(running(&status), WATCH_REACHED);
}

static void a_service_is_reached_when_all_of_it_runs(void **state)
{
    (void)state;
    struct job_status status = {
        .version = 2, .type = JOB_SERVICE, .state = JOB_DEGRADED, .wanted = 2, .counts.running = 2};
    assert_int_equal(running(&status), WATCH_GOES_ON);
    status.state = JOB_RUNNING;
    status.counts.stopping = 1;
    assert_int_equal(running(&status), WATCH_GOES_ON);
    status.counts.stopping = 0;
    status.counts.unknown = 1;
    assert_int_equal(running(&status), WATCH_GOES_ON);
    status.counts.unknown = 0;
    assert_int_equal(running(&status), WATCH_REACHED);
}

static void what_an_update_or_scaling_down_still_has_to_end_is_waited_for(void **state)
{
    (void)state;
    struct job_status status = {.version = 2,
                                .type = JOB_SERVICE,
                                .state = JOB_RUNNING,
                                .wanted = 2,
                                .counts.running = 2,
                                .outdated = 1};
    assert_int_equal(running(&status), WATCH_GOES_ON);
    status.outdated = 0;
    status.counts.running = 3;
    assert_int_equal(running(&status), WATCH_GOES_ON);
    status.counts.running = 2;
    assert_int_equal(running(&status), WATCH_REACHED);
}

static void a_batch_job_that_runs_is_not_done(void **state)
{
    (void)state;
    struct job_status status = {.version = 2, .type = JOB_BATCH, .state = JOB_RUNNING};
    assert_int_equal(running(&status), WATCH_GOES_ON);
    status.state = JOB_COMPLETED;
    assert_int_equal(running(&status), WATCH_REACHED);
    status.state = JOB_FAILED;
    assert_int_equal(running(&status), WATCH_FAILED);
}

static void what_no_node_can_take_is_stuck_unless_something_is_on_its_way(void **state)
{
    (void)state;
    struct pending_group groups[] = {group(REASON_CPU_EXHAUSTED)};
    struct job_status status = {.version = 2,
                                .type = JOB_SERVICE,
                                .state = JOB_PENDING,
                                .pending = {.items = groups, .count = 1}};
    assert_int_equal(running(&status), WATCH_STUCK);
    status.counts.stopping = 1;
    assert_int_equal(running(&status), WATCH_GOES_ON);
}

static void waiting_for_ones_turn_is_not_being_stuck(void **state)
{
    (void)state;
    static const enum reason passing[] = {REASON_WAITING_FOR_UPDATE, REASON_WAITING_TO_RESCHEDULE,
                                          REASON_RECOVERING};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        struct pending_group groups[] = {group(passing[i])};
        struct job_status status = {.version = 2,
                                    .type = JOB_SERVICE,
                                    .state = JOB_RUNNING,
                                    .pending = {.items = groups, .count = 1}};
        assert_int_equal(running(&status), WATCH_GOES_ON);
    }
}

static void somebody_elses_change_is_not_our_success(void **state)
{
    (void)state;
    struct job_status status = {.version = 3, .type = JOB_SERVICE, .state = JOB_RUNNING};
    struct job_document document = {.version = 3};
    assert_int_equal(watch_judge(WATCH_UNTIL_RUNNING, 2, &document, &status), WATCH_SUPERSEDED);
    document = (struct job_document){.version = 2, .stopped = true};
    assert_int_equal(watch_judge(WATCH_UNTIL_RUNNING, 2, &document, &status), WATCH_SUPERSEDED);
    document = (struct job_document){.version = 2};
    assert_int_equal(watch_judge(WATCH_UNTIL_STOPPED, 2, &document, &status), WATCH_SUPERSEDED);
}

static void stopped_is_when_the_manager_says_so(void **state)
{
    (void)state;
    const struct job_document document = {.version = 2, .stopped = true};
    struct job_status status = {.version = 2, .type = JOB_SERVICE, .state = JOB_DEGRADED};
    assert_int_equal(watch_judge(WATCH_UNTIL_STOPPED, 2, &document, NULL), WATCH_GOES_ON);
    assert_int_equal(watch_judge(WATCH_UNTIL_STOPPED, 2, &document, &status), WATCH_GOES_ON);
    status.state = JOB_STOPPING;
    assert_int_equal(watch_judge(WATCH_UNTIL_STOPPED, 2, &document, &status), WATCH_GOES_ON);
    status.state = JOB_STOPPED;
    assert_int_equal(watch_judge(WATCH_UNTIL_STOPPED, 2, &document, &status), WATCH_REACHED);
}

static void deleted_is_when_its_document_is_a_tombstone_or_gone(void **state)
{
    (void)state;
    struct job_document document = {.version = 2, .deleting = true};
    assert_int_equal(watch_judge(WATCH_UNTIL_DELETED, 2, &document, NULL), WATCH_GOES_ON);
    document.head.tombstone = true;
    assert_int_equal(watch_judge(WATCH_UNTIL_DELETED, 2, &document, NULL), WATCH_REACHED);
    assert_int_equal(watch_judge(WATCH_UNTIL_DELETED, 2, NULL, NULL), WATCH_REACHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_reached_before_the_status_is_of_the_accepted_version),
        cmocka_unit_test(a_service_is_reached_when_all_of_it_runs),
        cmocka_unit_test(what_an_update_or_scaling_down_still_has_to_end_is_waited_for),
        cmocka_unit_test(a_batch_job_that_runs_is_not_done),
        cmocka_unit_test(what_no_node_can_take_is_stuck_unless_something_is_on_its_way),
        cmocka_unit_test(waiting_for_ones_turn_is_not_being_stuck),
        cmocka_unit_test(somebody_elses_change_is_not_our_success),
        cmocka_unit_test(stopped_is_when_the_manager_says_so),
        cmocka_unit_test(deleted_is_when_its_document_is_a_tombstone_or_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
