#include "tests/store_write.h"
#include "tests/unit/worker/shell_fixture.h"

#include "schema/limits.h"

#include <string.h>

#define RUN "[{\"id\":\"" WEB_ID "\",\"version\":1,\"desired\":\"run\"}]"

static void a_quick_start_is_told_once(void **state)
{
    (void)state;
    struct shell_fixture f;
    setup(&f);
    struct listener listener;
    boot_ok(&f);
    listen(&f, &listener, "nodes/+/state/+");
    publish_assignment(&f, 1, RUN);
    assert_non_null(strstr(stored(&f, "nodes/n1/state/web"), "\"scheduled\""));
    assert_string_equal(retained(&f, "nodes/n1/state/web"), "");
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_RUNNING, .execution_id = "abc"});
    assert_retained_holds(&f, "nodes/n1/state/web", "\"running\"");
    pass(&f, 10 * REPORT_HELD_MS);
    assert_int_equal(heard(&listener, "nodes/n1/state/web"), 1);
    listener_release(&listener);
    teardown(&f);
}

static void what_begins_is_held_also_by_a_loop_that_is_late(void **state)
{
    (void)state;
    struct shell_fixture f;
    setup(&f);
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_RUNNING, .execution_id = "abc"});
    pass(&f, 1000);
    const struct runtime_handler *shell = &f.docker.handler;
    struct runtime_event exited = {
        .kind = RUNTIME_EXITED, .task_id = WEB_ID, .run = 1, .exit_code = 1};
    shell->on_event(shell->context, &f.docker.runtime, &exited);
    f.now.mono_ms += 4 * REPORT_HELD_MS; /* before its turn comes */
    f.now.wall_ms += 4 * REPORT_HELD_MS;
    settle(&f);
    assert_non_null(strstr(stored(&f, "nodes/n1/state/web"), "\"starting\""));
    assert_retained_holds(&f, "nodes/n1/state/web", "\"running\"");
    pass(&f, REPORT_HELD_MS);
    assert_retained_holds(&f, "nodes/n1/state/web", "\"starting\"");
    teardown(&f);
}

static void what_is_held_is_stored_also_when_the_disk_was_full_meanwhile(void **state)
{
    (void)state;
    struct shell_fixture f;
    setup(&f);
    boot_ok(&f);
    memory_store_fail_always(f.store, ERR_FULL);
    publish_assignment(&f, 1, RUN);
    pass(&f, 2 * REPORT_HELD_MS);
    assert_string_equal(retained(&f, "nodes/n1/state/web"), "");
    memory_store_fail_always(f.store, ERR_NONE);
    pass(&f, 2000);
    assert_non_null(strstr(stored(&f, "nodes/n1/state/web"), "\"scheduled\""));
    assert_retained_holds(&f, "nodes/n1/state/web", "\"scheduled\"");
    teardown(&f);
}

static void a_worker_that_stops_says_what_it_held(void **state)
{
    (void)state;
    struct shell_fixture f;
    setup(&f);
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    worker_shell_stop(f.shell);
    memory_broker_settle(f.broker);
    assert_retained_holds(&f, "nodes/n1/state/web", "\"scheduled\"");
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quick_start_is_told_once),
        cmocka_unit_test(what_begins_is_held_also_by_a_loop_that_is_late),
        cmocka_unit_test(what_is_held_is_stored_also_when_the_disk_was_full_meanwhile),
        cmocka_unit_test(a_worker_that_stops_says_what_it_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
