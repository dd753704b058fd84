#include "schema/codec/codec.h"
#include "schema/limits.h"
#include "schema/record.h"

#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <string.h>

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

/* ---- a `set` payload and what came of it ---- */

struct set {
    struct arena arena;
    struct problems problems;
    struct command_envelope envelope;
    struct job_spec spec;
    int result;
};

static void set_release(struct set *set)
{
    arena_release(&set->arena);
    problems_release(&set->problems);
}
#define _cleanup_set_ __attribute__((cleanup(set_release)))

static void set_decode(struct set *set, const char *name, const char *text)
{
    *set = (struct set){0};
    set->result = codec_decode_set(text, strlen(text), name, &set->arena, &set->envelope,
                                   &set->spec, &set->problems);
}

static const struct task_spec *first_task(const struct set *set)
{
    assert_int_equal(set->result, 0);
    return RECORD_AT(struct task_spec, set->spec.tasks, 0);
}

static const struct problem *problem_at(const struct set *set, const char *path)
{
    for (size_t i = 0; i < set->problems.count; i++)
        if (!strcmp(set->problems.items[i].path, path))
            return &set->problems.items[i];
    fail_msg("no problem at %s", path);
    return NULL;
}

/* ---- defaults ---- */

static void the_shortest_job_gets_every_default(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web", "{\"image\":\"nginx:1.27\"}");
    const struct task_spec *task = first_task(&set);
    assert_string_equal(set.spec.name, "web");
    assert_string_equal(task->name, "web");
    assert_int_equal(set.spec.type, JOB_SERVICE);
    assert_string_equal(set.spec.datacenters.items[0], "*");
    assert_int_equal(task->count, 1);
    assert_int_equal(task->runtime, RUNTIME_DOCKER);
    assert_int_equal(task->pull, PULL_MISSING);
    assert_int_equal(task->resources.cpu_millis, 100);
    assert_int_equal(task->resources.memory_bytes, 64 << 20);
    assert_true(task->resources.memory_max_bytes == UNSET);
    assert_int_equal(task->resources.disk_bytes, 0);
    assert_string_equal(task->stop.signal, "SIGTERM");
    assert_int_equal(task->stop.timeout_ms, 10 * SECOND);
    assert_int_equal(set.spec.update.max_parallel, 1);
    assert_int_equal(set.spec.update.min_healthy_ms, 10 * SECOND);
    assert_true(set.spec.disconnect.stop_after_ms == UNSET);
    assert_int_equal(set.spec.disconnect.replace, 1);
}

static void a_service_has_its_own_policies(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web", "{\"image\":\"nginx\"}");
    const struct restart_policy *restart = &first_task(&set)->restart;
    assert_int_equal(restart->policy, RESTART_ALWAYS);
    assert_int_equal(restart->attempts, 2);
    assert_int_equal(restart->interval_ms, 30 * MINUTE);
    assert_int_equal(restart->delay_ms, 15 * SECOND);
    assert_int_equal(restart->mode, RESTART_MODE_FAIL);
    assert_int_equal(set.spec.reschedule.unlimited, 1);
    assert_int_equal(set.spec.reschedule.delay_ms, 30 * SECOND);
    assert_int_equal(set.spec.reschedule.backoff, BACKOFF_EXPONENTIAL);
    assert_int_equal(set.spec.reschedule.max_delay_ms, HOUR);
    assert_int_equal(set.spec.disconnect.lost_after_ms, 10 * MINUTE);
}

static void a_batch_job_has_its_own_policies(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "sum", "{\"type\":\"batch\",\"image\":\"nginx\"}");
    const struct restart_policy *restart = &first_task(&set)->restart;
    assert_int_equal(restart->policy, RESTART_ON_FAILURE);
    assert_int_equal(restart->attempts, 3);
    assert_int_equal(restart->interval_ms, 24 * HOUR);
    assert_int_equal(set.spec.reschedule.unlimited, 0);
    assert_int_equal(set.spec.reschedule.attempts, 1);
    assert_int_equal(set.spec.reschedule.interval_ms, 24 * HOUR);
    assert_int_equal(set.spec.reschedule.delay_ms, 5 * SECOND);
    assert_int_equal(set.spec.reschedule.backoff, BACKOFF_CONSTANT);
    assert_int_equal(set.spec.disconnect.lost_after_ms, 0);
}

static void a_number_of_reschedules_ends_the_unlimited_default(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web", "{\"image\":\"nginx\",\"reschedule\":{\"attempts\":3}}");
    assert_int_equal(set.result, 0);
    assert_int_equal(set.spec.reschedule.unlimited, 0);
    assert_int_equal(set.spec.reschedule.attempts, 3);
}

static void a_long_delay_raises_the_default_max_delay(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web",
               "{\"image\":\"nginx\",\"restart\":{\"delay\":\"1h\",\"backoff\":\"exponential\"}}");
    assert_int_equal(first_task(&set)->restart.max_delay_ms, HOUR);
}

static void normalising_twice_changes_nothing(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web",
               "{\"image\":\"nginx\",\"ports\":[\"80/tcp\",81],\"stop\":{\"signal\":\"INT\"}}");
    assert_string_equal(first_task(&set)->ports.items[0], "80");
    assert_string_equal(first_task(&set)->stop.signal, "SIGINT");
    struct job_spec again;
    assert_int_equal(record_copy(&job_spec_record, &set.spec, &set.arena, &again), 0);
    assert_int_equal(job_spec_normalise(&again, "other", &set.arena), 0);
    assert_true(record_equal(&job_spec_record, &set.spec, &again));
}

/* ---- spellings ---- */

static bool same(const char *a_text, const char *b_text)
{
    _cleanup_set_ struct set a;
    _cleanup_set_ struct set b;
    set_decode(&a, "web", a_text);
    set_decode(&b, "web", b_text);
    assert_int_equal(a.result, 0);
    assert_int_equal(b.result, 0);
    return record_equal(&job_spec_record, &a.spec, &b.spec);
}

static void both_spellings_are_one_job(void **state)
{
    (void)state;
    assert_true(same("{\"image\":\"nginx\",\"count\":2}",
                     "{\"name\":\"web\",\"tasks\":[{\"count\":2,\"image\":\"nginx\"}]}"));
    assert_true(same("{\"image\":\"nginx\",\"resources\":{\"cpu\":0.25,\"memory\":\"64MiB\"}}",
                     "{\"image\":\"nginx\",\"resources\":{\"cpu\":\"250m\",\"memory\":67108864}}"));
    assert_true(same("{\"image\":\"nginx\",\"datacenters\":\"a\"}",
                     "{\"image\":\"nginx\",\"datacenters\":[\"a\"]}"));
    assert_false(same("{\"image\":\"nginx\"}", "{\"image\":\"nginx\",\"count\":2}"));
}

static void what_was_published_can_be_submitted_again(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    _cleanup_set_ struct set again;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    set_decode(&set, "web",
               "{\"image\":\"nginx\",\"health\":[{\"tcp\":\":80\"}],\"env\":{\"A\":1.5}}");
    assert_int_equal(set.result, 0);
    codec_encode(&job_spec_record, &set.spec, &text);
    set_decode(&again, "web", buf_text(&text));
    assert_int_equal(again.result, 0);
    assert_true(record_equal(&job_spec_record, &set.spec, &again.spec));
}

static void placement_is_the_jobs_in_the_short_spelling(void **state)
{
    (void)state;
    assert_true(
        same("{\"image\":\"x\",\"constraints\":[\"arch == arm64\"],\"distinct_hosts\":true}",
             "{\"constraints\":[\"arch == arm64\"],\"distinct_hosts\":true,"
             "\"tasks\":[{\"image\":\"x\"}]}"));
    assert_false(same("{\"image\":\"x\",\"constraints\":[\"arch == arm64\"]}",
                      "{\"tasks\":[{\"image\":\"x\",\"constraints\":[\"arch == arm64\"]}]}"));
}

static void placement_that_chooses_nothing_is_refused_with_its_place(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web",
               "{\"tasks\":[{\"image\":\"x\",\"constraints\":[\"arch == arm64\",\"arch = arm64\"],"
               "\"affinities\":[{\"expr\":\"arch == arm64\",\"weight\":0}],"
               "\"spread\":[{\"attribute\":\"rack\"},{\"attribute\":\"label.rack\","
               "\"targets\":{\"a\":60,\"b\":41}}]}]}");
    assert_int_equal(set.result, -ERR_INVALID);
    assert_int_equal(set.problems.count, 4);
    assert_string_equal(problem_at(&set, "/tasks/0/constraints/1")->hint, "did you mean \"==\"?");
    assert_non_null(problem_at(&set, "/tasks/0/affinities/0/weight"));
    assert_non_null(problem_at(&set, "/tasks/0/spread/0/attribute"));
    assert_string_equal(problem_at(&set, "/tasks/0/spread/1/targets")->message,
                        "the targets are 101 percent together");
}

static void reserved_keys_are_no_part_of_the_specification(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web",
               "{\"image\":\"nginx\",\"token\":\"t-1\",\"expect_version\":4,"
               "\"reply_to\":\"argosy/v1/replies/me\",\"expires_at_ms\":1795425600000}");
    assert_int_equal(set.result, 0);
    assert_string_equal(set.envelope.token, "t-1");
    assert_string_equal(set.envelope.reply_to, "argosy/v1/replies/me");
    assert_int_equal(set.envelope.expect_version, 4);
    assert_int_equal(set.envelope.expires_at_ms, 1795425600000);
    assert_true(same("{\"image\":\"nginx\",\"token\":\"t-1\"}", "{\"image\":\"nginx\"}"));
}

static void numbers_and_booleans_in_an_environment_are_their_text(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web", "{\"image\":\"nginx\",\"env\":{\"C\":true,\"B\":1.5,\"A\":3}}");
    const struct string_map *env = &first_task(&set)->env;
    assert_int_equal(env->count, 3);
    assert_string_equal(env->items[0].key, "A");
    assert_string_equal(env->items[0].value, "3");
    assert_string_equal(env->items[1].value, "1.5");
    assert_string_equal(env->items[2].value, "true");
}

/* ---- problems ---- */

static void all_problems_are_told_at_once_with_place_and_hint(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web",
               "{\"tasks\":[{\"imge\":\"nginx\",\"resources\":{\"memory\":\"64mb\"}},"
               "{\"name\":\"b\",\"image\":\"x\",\"command\":\"a b\",\"ports\":[\"80\",\"x\"]}],"
               "\"typ\":\"batch\",\"a/b~c\":1,\"stages\":[]}");
    assert_int_equal(set.result, -ERR_INVALID);
    assert_string_equal(problem_at(&set, "/tasks/0/imge")->hint, "did you mean image?");
    assert_non_null(strstr(problem_at(&set, "/tasks/0/resources/memory")->hint, "MiB"));
    assert_non_null(strstr(problem_at(&set, "/tasks/1/command")->hint, "[\"program\""));
    problem_at(&set, "/tasks/1/ports/1");
    assert_string_equal(problem_at(&set, "/typ")->hint, "did you mean type?");
    assert_null(problem_at(&set, "/a~1b~0c")->hint);
    assert_non_null(strstr(problem_at(&set, "/stages")->hint, "not support"));
    assert_int_equal(set.problems.count, 7);
}

static void the_short_spelling_has_short_paths(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web", "{\"image\":\"nginx\",\"resources\":{\"memory_max\":\"32MiB\"}}");
    assert_int_equal(set.problems.count, 1);
    problem_at(&set, "/resources/memory_max");
}

static void a_check_is_silent_beside_what_is_already_wrong(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web", "{\"imge\":\"nginx\"}");
    assert_int_equal(set.problems.count, 1);
    problem_at(&set, "/imge");
}

static void a_name_that_is_not_the_topics_is_refused(void **state)
{
    (void)state;
    _cleanup_set_ struct set set;
    set_decode(&set, "web", "{\"name\":\"shop\",\"image\":\"nginx\"}");
    assert_int_equal(set.result, -ERR_INVALID);
    problem_at(&set, "/name");
    _cleanup_set_ struct set nameless;
    set_decode(&nameless, NULL, "{\"image\":\"nginx\"}");
    problem_at(&nameless, "/name");
}

static void a_specification_larger_than_its_limit_is_refused(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    _cleanup_set_ struct set set;
    buf_add_text(&text, "{\"image\":\"nginx\",\"env\":{\"A\":\"");
    while (text.length < LIMIT_JOB_SPEC_BYTES)
        buf_add_char(&text, 'x');
    buf_add_text(&text, "\"}}");
    set_decode(&set, "web", buf_text(&text));
    assert_int_equal(set.result, -ERR_INVALID);
    assert_non_null(strstr(problem_at(&set, "")->message, "64 KiB"));
}

static void a_message_may_take_only_so_much_memory(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = {.limit_bytes = 64};
    _cleanup_problems_ struct problems problems = {0};
    struct command_envelope envelope;
    struct job_spec spec;
    static const char text[] = "{\"image\":\"nginx\",\"env\":{\"A\":\"b\"}}";
    assert_int_equal(
        codec_decode_set(text, strlen(text), "web", &arena, &envelope, &spec, &problems),
        -ERR_TOO_LARGE);
    assert_true(problems_any(&problems));
}

/* ---- small texts ---- */

static void ports_have_a_host_a_container_and_a_protocol(void **state)
{
    (void)state;
    struct port_spec port;
    assert_true(port_spec_parse("8080:80", &port));
    assert_int_equal(port.host, 8080);
    assert_int_equal(port.container, 80);
    assert_false(port.udp);
    assert_true(port_spec_parse("9000/udp", &port));
    assert_int_equal(port.host, 0);
    assert_int_equal(port.container, 9000);
    assert_true(port.udp);
}

static void volumes_have_a_source_and_a_target(void **state)
{
    (void)state;
    struct volume_spec volume;
    assert_true(volume_spec_parse("/etc/acme:/etc/acme:ro", &volume));
    assert_string_equal(volume.source, "/etc/acme");
    assert_string_equal(volume.target, "/etc/acme");
    assert_true(volume.read_only);
    assert_true(volume_spec_parse("data:/var", &volume));
    assert_string_equal(volume.source, "data");
    assert_false(volume.read_only);
}

static void health_targets_have_a_port_and_a_path(void **state)
{
    (void)state;
    int64_t port;
    const char *path;
    assert_true(health_target_parse("http://:80/healthz", true, &port, &path));
    assert_int_equal(port, 80);
    assert_string_equal(path, "/healthz");
    assert_true(health_target_parse("http://:8080", true, &port, &path));
    assert_string_equal(path, "/");
    assert_true(health_target_parse(":5432", false, &port, &path));
    assert_int_equal(port, 5432);
    assert_false(health_target_parse(":5432/", false, &port, &path));
}

static void signals_have_names_and_numbers(void **state)
{
    (void)state;
    assert_int_equal(signal_from_string("SIGTERM"), SIGTERM);
    assert_int_equal(signal_from_string("TERM"), SIGTERM);
    assert_int_equal(signal_from_string("15"), SIGTERM);
    assert_int_equal(signal_from_string("sigterm"), 0);
    assert_int_equal(signal_from_string("015"), 0);
    assert_int_equal(signal_from_string(""), 0);
    assert_int_equal(signal_from_string(NULL), 0);
}

static void globs_match_with_star_and_question_mark(void **state)
{
    (void)state;
    assert_true(glob_match("*", ""));
    assert_true(glob_match("plant-*", "plant-graz"));
    assert_true(glob_match("*-graz", "plant-graz"));
    assert_true(glob_match("p*t-*z", "plant-graz"));
    assert_true(glob_match("dc?", "dc1"));
    assert_true(glob_match("a*b*c", "aXbXbXc"));
    assert_false(glob_match("dc?", "dc"));
    assert_false(glob_match("plant", "plant-graz"));
    assert_false(glob_match("", "a"));
    assert_false(glob_match("a*b", "acd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shortest_job_gets_every_default),
        cmocka_unit_test(a_service_has_its_own_policies),
        cmocka_unit_test(a_batch_job_has_its_own_policies),
        cmocka_unit_test(a_number_of_reschedules_ends_the_unlimited_default),
        cmocka_unit_test(a_long_delay_raises_the_default_max_delay),
        cmocka_unit_test(normalising_twice_changes_nothing),
        cmocka_unit_test(both_spellings_are_one_job),
        cmocka_unit_test(what_was_published_can_be_submitted_again),
        cmocka_unit_test(placement_is_the_jobs_in_the_short_spelling),
        cmocka_unit_test(placement_that_chooses_nothing_is_refused_with_its_place),
        cmocka_unit_test(reserved_keys_are_no_part_of_the_specification),
        cmocka_unit_test(numbers_and_booleans_in_an_environment_are_their_text),
        cmocka_unit_test(all_problems_are_told_at_once_with_place_and_hint),
        cmocka_unit_test(the_short_spelling_has_short_paths),
        cmocka_unit_test(a_check_is_silent_beside_what_is_already_wrong),
        cmocka_unit_test(a_name_that_is_not_the_topics_is_refused),
        cmocka_unit_test(a_specification_larger_than_its_limit_is_refused),
        cmocka_unit_test(a_message_may_take_only_so_much_memory),
        cmocka_unit_test(ports_have_a_host_a_container_and_a_protocol),
        cmocka_unit_test(volumes_have_a_source_and_a_target),
        cmocka_unit_test(health_targets_have_a_port_and_a_path),
        cmocka_unit_test(signals_have_names_and_numbers),
        cmocka_unit_test(globs_match_with_star_and_question_mark),
    };
    return cmocka_run_group_tests_name("job_spec", tests, NULL, NULL);
}
