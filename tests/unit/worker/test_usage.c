/* The usage of tasks is told in turns (docs/decisions.md, D37). */
#include "tests/unit/worker/shell_fixture.h"

#include "platform/base/buf.h"
#include "schema/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST(name) static void name(void **state)

enum { TASKS_MAX = 64, INTERVAL_MS = 10000 };

struct node {
    struct shell_fixture f;
    int64_t seq;
    int count;
    bool stopped[TASKS_MAX];
    int64_t heartbeats;
    int64_t asked[TASKS_MAX]; /* the last heartbeat that asked for it; before: it joined */
    int64_t slowest;          /* heartbeats between two askings */
};

static const char *id_of(int task)
{
    static char id[LIMIT_TASK_ID_LENGTH + 1];
    snprintf(id, sizeof(id), "web_web_%d_aaaaaaaa", task);
    return id;
}

static const char *metrics_of(const struct node *node, int task)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    snprintf(topic, sizeof(topic), "nodes/n1/tasks/%s/metrics", id_of(task));
    return retained(&node->f, topic);
}

static void assign(struct node *node)
{
    _cleanup_buf_ struct buf attempts = BUF_EMPTY;
    for (int i = 0; i < node->count; i++) {
        buf_printf(&attempts, "%s{\"id\":\"%s\",\"version\":1,\"desired\":\"%s\"}", i ? "," : "[",
                   id_of(i), node->stopped[i] ? "stop" : "run");
    }
    buf_add_text(&attempts, "]");
    publish_assignment(&node->f, ++node->seq, buf_text(&attempts));
}

static void run_more(struct node *node, int more)
{
    node->count += more;
    assign(node);
    for (int i = node->count - more; i < node->count; i++) {
        docker_says(&node->f, (struct runtime_event){.kind = RUNTIME_RUNNING, .task_id = id_of(i)});
        node->asked[i] = node->heartbeats;
    }
}

static void stop(struct node *node, int from, int to)
{
    for (int i = from; i < to; i++) {
        node->stopped[i] = true;
    }
    assign(node);
    for (int i = from; i < to; i++) {
        docker_says(&node->f, (struct runtime_event){.kind = RUNTIME_EXITED, .task_id = id_of(i)});
    }
}

static void begin(struct node *node, int tasks)
{
    *node = (struct node){.count = 0};
    setup(&node->f);
    boot_ok(&node->f);
    node->f.docker.up = false; /* it would list nothing */
    run_more(node, tasks);
}

static void note_asked(struct node *node, int task)
{
    assert_false(node->stopped[task]);
    assert_true(node->heartbeats > node->asked[task]); /* once */
    node->asked[task] = node->heartbeats;
}

/* One heartbeat; how many it asked for. */
static size_t heartbeat(struct node *node)
{
    node->f.docker.count = 0;
    pass(&node->f, INTERVAL_MS);
    node->heartbeats++;
    for (int i = 0; i < node->count; i++) {
        for (size_t c = 0; c < node->f.docker.count; c++) {
            const struct call *call = &node->f.docker.calls[c];
            if (!strcmp(call->what, "usage") && !strcmp(call->task_id, id_of(i))) {
                note_asked(node, i);
            }
        }
        int64_t waits = node->heartbeats - node->asked[i] + 1; /* at least */
        if (!node->stopped[i] && waits > node->slowest) {
            node->slowest = waits;
        }
    }
    return calls_of(&node->f, "usage");
}

static void answer(struct node *node, const char *task_id)
{
    struct runtime_usage usage = {.memory_bytes = 4096, .pids = 3};
    node->f.docker.report(node->f.docker.report_context, task_id, &usage);
    settle(&node->f);
}

static size_t heartbeat_answered(struct node *node)
{
    size_t count = heartbeat(node);
    for (size_t c = 0; c < node->f.docker.count; c++) {
        if (!strcmp(node->f.docker.calls[c].what, "usage")) {
            answer(node, node->f.docker.calls[c].task_id);
        }
    }
    return count;
}

static int told_of(const struct node *node)
{
    int count = 0;
    for (int i = 0; i < node->count; i++) {
        count += *metrics_of(node, i) != '\0';
    }
    return count;
}

TEST(a_small_node_tells_of_all_tasks_at_each_heartbeat)
{
    (void)state;
    struct node node;
    begin(&node, 16);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(heartbeat_answered(&node), 16);
        assert_int_equal(told_of(&node), 16);
    }
    teardown(&node.f);
}

TEST(forty_tasks_are_told_of_in_three_heartbeats_sixteen_at_a_time)
{
    (void)state;
    struct node node;
    begin(&node, 40);
    for (int round = 0; round < 4; round++) {
        assert_int_equal(heartbeat_answered(&node), 16);
        assert_int_equal(heartbeat_answered(&node), 16);
        assert_int_equal(heartbeat_answered(&node), 8);
        assert_int_equal(told_of(&node), 40);
    }
    assert_int_equal(node.slowest, 3);
    teardown(&node.f);
}

TEST(each_has_its_turn_also_while_others_come_and_go)
{
    (void)state;
    struct node node;
    begin(&node, 40);
    for (int i = 1; i <= 20; i++) {
        assert_true(heartbeat_answered(&node) <= 16);
        stop(&node, i - 1, i);
        run_more(&node, 1);
    }
    assert_int_equal(node.slowest, 3);
    stop(&node, 20, 44); /* few are left */
    for (int i = 0; i <= HEARTBEATS_MISSED; i++) {
        assert_int_equal(heartbeat_answered(&node), 16);
    }
    assert_int_equal(told_of(&node), 16);
    teardown(&node.f);
}

TEST(who_has_waited_longest_is_asked_first)
{
    (void)state;
    struct node node;
    begin(&node, 48);
    for (int i = 0; i < 5; i++) {
        heartbeat_answered(&node);
    }
    stop(&node, 16, 32); /* asked last; a turn is two heartbeats now, and all others are due */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(heartbeat_answered(&node), 16);
    }
    assert_int_equal(node.slowest, 3);
    teardown(&node.f);
}

TEST(what_ended_is_cleared_soon_and_nothing_else)
{
    (void)state;
    struct node node;
    begin(&node, 40);
    for (int i = 0; i < 3; i++) {
        heartbeat_answered(&node);
    }
    stop(&node, 0, 2);
    answer(&node, id_of(0)); /* it was asked before it ended */
    for (int i = 0; i <= HEARTBEATS_MISSED; i++) {
        assert_string_not_equal(metrics_of(&node, 0), "");
        heartbeat_answered(&node);
        assert_true(told_of(&node) >= 38);
    }
    assert_string_equal(metrics_of(&node, 0), "");
    assert_string_equal(metrics_of(&node, 1), "");
    assert_int_equal(told_of(&node), 38);
    answer(&node, id_of(0)); /* much too late: nobody would clear it */
    assert_string_equal(metrics_of(&node, 0), "");
    teardown(&node.f);
}

TEST(what_is_not_answered_three_turns_long_is_cleared_and_told_again_when_it_is)
{
    (void)state;
    struct node node;
    begin(&node, 40);
    for (int i = 0; i < 3; i++) {
        heartbeat_answered(&node);
    }
    for (int i = 0; i < 3 * HEARTBEATS_MISSED; i++) {
        if (i < 3 * HEARTBEATS_MISSED - 2) {
            assert_int_equal(told_of(&node), 40);
        }
        heartbeat(&node);
    }
    heartbeat(&node);
    assert_int_equal(told_of(&node), 0);
    for (int i = 0; i < 3; i++) {
        heartbeat_answered(&node);
    }
    assert_int_equal(told_of(&node), 40);
    teardown(&node.f);
}

static void ask_stats(struct node *node, int task, const char *token)
{
    char question[200];
    snprintf(question, sizeof(question), "{\"token\":\"%s\",\"task\":\"%s\"}", token, id_of(task));
    publish(&node->f, "ask/n1/stats", question, false);
}

TEST(stats_are_answered_whoever_has_the_turn)
{
    (void)state;
    struct node node;
    struct listener answers;
    begin(&node, 40);
    assert_int_equal(heartbeat(&node), 16); /* and no answer yet */
    listen(&node.f, &answers, "nodes/n1/answers/+");
    node.f.docker.count = 0;
    ask_stats(&node, 0, "has-the-turn");
    ask_stats(&node, 39, "has-not");
    assert_int_equal(calls_of(&node.f, "usage"), 2); /* nobody but those two */
    answer(&node, id_of(0));
    answer(&node, id_of(39));
    assert_int_equal(heard(&answers, "answers/has-the-turn {"), 1);
    assert_int_equal(heard(&answers, "answers/has-not {"), 1);
    assert_int_equal(heard(&answers, "\"memory_bytes\":4096"), 2);
    listener_release(&answers);
    teardown(&node.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_node_tells_of_all_tasks_at_each_heartbeat),
        cmocka_unit_test(forty_tasks_are_told_of_in_three_heartbeats_sixteen_at_a_time),
        cmocka_unit_test(each_has_its_turn_also_while_others_come_and_go),
        cmocka_unit_test(who_has_waited_longest_is_asked_first),
        cmocka_unit_test(what_ended_is_cleared_soon_and_nothing_else),
        cmocka_unit_test(
            what_is_not_answered_three_turns_long_is_cleared_and_told_again_when_it_is),
        cmocka_unit_test(stats_are_answered_whoever_has_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
