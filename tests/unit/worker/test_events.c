/* The worker's events: what happens too often is told in part, and what was not told is not taken
 * for told. */
#include "tests/unit/worker/shell_fixture.h"

#include "schema/limits.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEST(name) static void name(void **state)

enum { SHARE_MS = 60 * 1000 / EVENTS_PER_MINUTE };

/* A worker, and somebody who listens to its events. */
struct world {
    struct shell_fixture f;
    struct listener listener;
};

static void world_init(struct world *world)
{
    setup(&world->f);
    boot_ok(&world->f);
    listen(&world->f, &world->listener, "nodes/n1/events/+");
}

static void world_release(struct world *world)
{
    listener_release(&world->listener);
    teardown(&world->f);
}

/* An assignment that cannot be read, of a job of this number; true when an event tells of it. */
static bool bad_assignment(struct world *world, int job)
{
    char topic[64];
    snprintf(topic, sizeof(topic), "nodes/n1/assign/j%d", job);
    world->listener.count = 0;
    publish(&world->f, topic, "{\"term\":", false);
    return heard(&world->listener, "unreadable_document") > 0;
}

static int bad_assignments(struct world *world, int count)
{
    int told = 0;
    for (int job = 1; job <= count; job++) {
        told += bad_assignment(world, job);
    }
    return told;
}

TEST(of_many_events_of_a_kind_a_hundred_are_told_and_the_next_one_says_how_many_were_not)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_int_equal(bad_assignments(&world, 150), EVENTS_PER_MINUTE);
    pass(&world.f, SHARE_MS);
    assert_true(bad_assignment(&world, 151));
    assert_int_equal(heard(&world.listener, "\"suppressed\":50"), 1);
    pass(&world.f, SHARE_MS);
    assert_true(bad_assignment(&world, 152));
    assert_int_equal(heard(&world.listener, "suppressed"), 0);
    world_release(&world);
}

/* How many lines of the log tell of what cannot be read; the last one stays in `line`. */
static int count_lines(FILE *log, char *line, int size)
{
    int count = 0;
    rewind(log);
    while (fgets(line, size, log)) {
        count += strstr(line, "reason=unreadable_document") != NULL;
    }
    return count;
}

TEST(what_is_not_told_is_not_logged_and_the_next_line_says_so)
{
    (void)state;
    char line[1024] = "";
    struct world world;
    world_init(&world);
    FILE *log = tmpfile();
    int before = dup(STDERR_FILENO);
    dup2(fileno(log), STDERR_FILENO);
    bad_assignments(&world, 150);
    pass(&world.f, SHARE_MS);
    bad_assignment(&world, 151);
    dup2(before, STDERR_FILENO);
    close(before);
    assert_int_equal(count_lines(log, line, sizeof(line)), EVENTS_PER_MINUTE + 1);
    assert_non_null(strstr(line, "(50 more left out)"));
    fclose(log);
    world_release(&world);
}

TEST(another_kind_is_told_meanwhile)
{
    (void)state;
    struct world world;
    world_init(&world);
    bad_assignments(&world, 150);
    publish_assignment(&world.f, 1, "[{\"id\":\"" WEB_ID "\",\"version\":1,\"desired\":\"run\"}]");
    world.listener.count = 0;
    docker_says(&world.f, (struct runtime_event){.kind = RUNTIME_RUNNING});
    docker_says(&world.f, (struct runtime_event){.kind = RUNTIME_EXITED, .exit_code = 1});
    assert_int_equal(heard(&world.listener, "task_restarted"), 1);
    assert_int_equal(heard(&world.listener, "suppressed"), 0);
    world_release(&world);
}

TEST(the_heartbeat_counts_what_was_left_out)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_retained_holds(&world.f, "nodes/n1/metrics", "\"events_suppressed_total\":0");
    bad_assignments(&world, 150);
    pass(&world.f, DEFAULT_HEARTBEAT_MS);
    assert_retained_holds(&world.f, "nodes/n1/metrics", "\"events_suppressed_total\":50");
    world_release(&world);
}

TEST(what_is_told_once_and_was_left_out_is_told_when_it_comes_again)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_int_equal(bad_assignments(&world, 101), EVENTS_PER_MINUTE);
    pass(&world.f, SHARE_MS);
    assert_false(bad_assignment(&world, 100)); /* it was told */
    assert_true(bad_assignment(&world, 101));
    pass(&world.f, SHARE_MS);
    assert_false(bad_assignment(&world, 101));
    world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            of_many_events_of_a_kind_a_hundred_are_told_and_the_next_one_says_how_many_were_not),
        cmocka_unit_test(what_is_not_told_is_not_logged_and_the_next_line_says_so),
        cmocka_unit_test(another_kind_is_told_meanwhile),
        cmocka_unit_test(the_heartbeat_counts_what_was_left_out),
        cmocka_unit_test(what_is_told_once_and_was_left_out_is_told_when_it_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
