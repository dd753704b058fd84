#include "platform/adapters/options.h"
#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
    const char *name, *password;
    int64_t interval_ms, memory_bytes, cpu_millis, window;
    bool quiet;
    struct string_list brokers;
    struct string_map labels;
};

static const struct option_row rows[] = {
    {.name = "name",
     .letter = 'n',
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, name),
     .argument = "NAME",
     .help = "a name"},
    {.name = "password",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct settings, password),
     .secret = true,
     .argument = "TEXT",
     .help = "a secret"},
    {.name = "interval",
     .kind = OPTION_DURATION,
     .offset = offsetof(struct settings, interval_ms),
     .fallback = "10s",
     .min = 100,
     .max = 60000,
     .argument = "TIME",
     .help = "a time"},
    {.name = "memory",
     .kind = OPTION_SIZE,
     .offset = offsetof(struct settings, memory_bytes),
     .argument = "SIZE",
     .help = "a size"},
    {.name = "cpu",
     .kind = OPTION_CPU,
     .offset = offsetof(struct settings, cpu_millis),
     .argument = "CORES",
     .help = "cores"},
    {.name = "window",
     .kind = OPTION_INT,
     .offset = offsetof(struct settings, window),
     .fallback = "7",
     .argument = "N",
     .help = "a number"},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPTION_SWITCH,
     .offset = offsetof(struct settings, quiet),
     .help = "a switch"},
    {.name = "broker",
     .kind = OPTION_LIST,
     .offset = offsetof(struct settings, brokers),
     .fallback = "localhost",
     .argument = "LIST",
     .help = "addresses"},
    {.name = "label",
     .kind = OPTION_MAP,
     .offset = offsetof(struct settings, labels),
     .argument = "K=V",
     .help = "labels"},
};
static const struct options options = {"argosy-test", "A test.", rows, ARRAY_LENGTH(rows)};

struct fixture {
    struct arena arena;
    struct problems problems;
    struct settings settings;
};

static int fixture_init(void **state)
{
    *state = mem_alloc(sizeof(struct fixture));
    return 0;
}

static int fixture_release(void **state)
{
    struct fixture *fixture = *state;
    arena_release(&fixture->arena);
    problems_release(&fixture->problems);
    free(fixture);
    return 0;
}

#define LOAD(fixture, environment, ...)                                                          \
    options_load(&options, (int)ARRAY_LENGTH(((char *const[]){"argosy-test", __VA_ARGS__})),     \
                 (char *const[]){"argosy-test", __VA_ARGS__}, environment, &(fixture)->settings, \
                 &(fixture)->arena, &(fixture)->problems)

static char *config_write(const char *text)
{
    static char path[40];
    strcpy(path, "/tmp/argosy-options-XXXXXX");
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void defaults_hold_where_nothing_is_said(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(LOAD(fixture, NULL, "--quiet"), 0);
    const struct settings *settings = &fixture->settings;
    assert_int_equal(settings->interval_ms, 10000);
    assert_int_equal(settings->window, 7);
    assert_int_equal(settings->memory_bytes, UNSET);
    assert_null(settings->name);
    assert_true(settings->quiet);
    assert_int_equal(settings->brokers.count, 1);
}

static void the_command_line_is_above_the_environment_is_above_the_file(void **state)
{
    struct fixture *fixture = *state;
    char *path =
        config_write("# a comment\nname = file\ninterval=1s\n window = 1 \nmemory = 1MiB\n");
    const char *const environment[] = {"ARGOSY_NAME=environment", "ARGOSY_INTERVAL=2s", NULL};
    assert_int_equal(LOAD(fixture, environment, "--config", path, "-n", "line"), 0);
    assert_string_equal(fixture->settings.name, "line");
    assert_int_equal(fixture->settings.interval_ms, 2000);
    assert_int_equal(fixture->settings.window, 1);
    assert_int_equal(fixture->settings.memory_bytes, 1 << 20);
    unlink(path);
}

static void lists_are_split_and_may_be_repeated(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(
        LOAD(fixture, NULL, "--broker", "a, b", "--broker=c", "--label", "site=graz,disk=ssd"), 0);
    const struct settings *settings = &fixture->settings;
    assert_int_equal(settings->brokers.count, 3);
    assert_string_equal(settings->brokers.items[2], "c");
    assert_int_equal(settings->labels.count, 2);
    assert_string_equal(settings->labels.items[0].key, "disk");
    assert_string_equal(settings->labels.items[0].value, "ssd");
}

static void all_errors_are_told_at_once_with_their_places(void **state)
{
    struct fixture *fixture = *state;
    char *path = config_write("nmae = x\nwhat is this\n");
    const char *const environment[] = {"ARGOSY_INTERVAL=ten", NULL};
    assert_int_equal(LOAD(fixture, environment, "--config", path, "--memory=3parsecs", "--window",
                          "x", "--quiet=maybe", "--label", "novalue", "stray", "--name"),
                     -ERR_INVALID);
    const struct problems *problems = &fixture->problems;
    assert_int_equal(problems->count, 9);
    _cleanup_buf_ struct buf all = BUF_EMPTY;
    for (size_t i = 0; i < problems->count; i++)
        buf_printf(&all, "%s|%s|%s\n", problems->items[i].path, problems->items[i].message,
                   problems->items[i].hint ? problems->items[i].hint : "");
    const char *const expected[] = {":1|there is no option \"nmae\"|did you mean name?",
                                    ":2|\"what is this\" is no setting",
                                    "ARGOSY_INTERVAL|",
                                    "--memory|",
                                    "--window|",
                                    "--quiet|",
                                    "--label|",
                                    "stray|is no option"};
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        if (!strstr(buf_text(&all), expected[i]))
            fail_msg("%s is missing in:\n%s", expected[i], buf_text(&all));
    unlink(path);
}

static void a_value_out_of_bounds_names_the_bounds(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(LOAD(fixture, NULL, "--interval", "2h"), -ERR_INVALID);
    assert_non_null(strstr(fixture->problems.items[0].message, "from 100ms to 1m"));
}

static void a_misspelt_option_is_one_mistake_with_its_value(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(LOAD(fixture, NULL, "--intervall", "1s"), -ERR_INVALID);
    assert_int_equal(fixture->problems.count, 1);
    assert_string_equal(fixture->problems.items[0].hint, "did you mean interval?");
}

static void a_key_that_is_given_twice_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(LOAD(fixture, NULL, "--label", "site=a", "--label", "site=b"), -ERR_INVALID);
    assert_non_null(strstr(fixture->problems.items[0].hint, "each key once"));
}

static void a_line_of_any_length_is_one_setting(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    buf_add_text(&text, "broker = a");
    for (int i = 0; i < 5000; i++)
        buf_add_text(&text, ", a");
    char *path = config_write(buf_text(&text)); /* and its end is missing */
    assert_int_equal(LOAD(fixture, NULL, "--config", path), 0);
    assert_int_equal(fixture->settings.brokers.count, 5001);
    unlink(path);
}

static void a_file_that_cannot_be_read_is_a_problem_when_it_was_named(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(LOAD(fixture, NULL, "--config", "/not/there"), -ERR_INVALID);
    assert_string_equal(fixture->problems.items[0].path, "/not/there");
    problems_release(&fixture->problems);
    assert_int_equal(LOAD(fixture, NULL, "--config=/tmp"), -ERR_INVALID);
    assert_string_equal(fixture->problems.items[0].path, "/tmp");
}

static void what_others_have_in_the_environment_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    const char *const environment[] = {"ARGOSY_TASK_ID=web_web_0_abcdefgh", "ARGOSY_NAM=x", NULL};
    assert_int_equal(LOAD(fixture, environment, "-q"), 0);
    assert_null(fixture->settings.name);
}

static void secrets_are_not_shown(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(LOAD(fixture, NULL, "--password", "hunter2", "--cpu", "250m"), 0);
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    options_describe(&options, &fixture->settings, &text);
    assert_null(strstr(buf_text(&text), "hunter2"));
    assert_null(strstr(buf_text(&text), "name="));
    assert_null(strstr(buf_text(&text), "memory="));
    assert_non_null(strstr(buf_text(&text), "password=***"));
    assert_non_null(strstr(buf_text(&text), "cpu=0.25"));
    assert_non_null(strstr(buf_text(&text), "interval=10s"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_init, fixture_release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(defaults_hold_where_nothing_is_said),
        CASE(the_command_line_is_above_the_environment_is_above_the_file),
        CASE(lists_are_split_and_may_be_repeated),
        CASE(all_errors_are_told_at_once_with_their_places),
        CASE(a_value_out_of_bounds_names_the_bounds),
        CASE(a_misspelt_option_is_one_mistake_with_its_value),
        CASE(a_key_that_is_given_twice_is_refused),
        CASE(a_line_of_any_length_is_one_setting),
        CASE(a_file_that_cannot_be_read_is_a_problem_when_it_was_named),
        CASE(what_others_have_in_the_environment_is_left_alone),
        CASE(secrets_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
