/* What is written beside a process and what /proc says of one. */
#include "tests/unit/unit.h"

#include "worker/runtime/process_files.h"
#include "worker/runtime/process_meta.h"
#include "worker/runtime/word_list.h"

#include <string.h>
#include <unistd.h>

static void test_what_is_written_beside_a_process_is_read_back(void **state)
{
    (void)state;
    struct process_meta meta = {
        .node = "n1",
        .cluster = "c1",
        .memory_limit_bytes = 1 << 20,
        .ports = {{.container = 80, .host = 8080}, {.container = 53, .host = 53, .udp = true}},
        .port_count = 2,
        .cgroups = {.paths = {"/sys/fs/cgroup/a", "/b \"quoted\""}, .count = 2}};
    struct process_meta found;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    process_meta_write(&meta, &text);
    assert_true(process_meta_read(text.data, text.length, &found));
    assert_memory_equal(&found, &meta, sizeof(meta));
    assert_false(process_meta_read("{}", 2, &found));
    assert_false(process_meta_read("", 0, &found));
    assert_false(process_meta_read(text.data, text.length / 2, &found));
}

static void test_a_processs_name_cannot_confuse_the_reader_of_its_fields(void **state)
{
    (void)state;
    struct process_stat stat;
    assert_true(process_stat_parse("7 (a) S 99 (b) 1) S 3 7 5 0 -1 0 0 0 0 0 10 20 30 40 20 0 2 0 "
                                   "12345 4096 3 0",
                                   &stat));
    assert_int_equal(stat.parent, 3);
    assert_int_equal(stat.session, 5);
    assert_int_equal(stat.cpu_ticks, 100);
    assert_int_equal(stat.threads, 2);
    assert_int_equal(stat.start_ticks, 12345);
    assert_int_equal(stat.resident_bytes, 3 * sysconf(_SC_PAGESIZE));
    assert_false(process_stat_parse("", &stat));
    assert_false(process_stat_parse("7 (a)", &stat));
    assert_false(process_stat_parse("7 (a) S 1 2", &stat));
}

static void test_this_process_is_found_by_its_number(void **state)
{
    (void)state;
    struct process_stat stat;
    assert_true(process_stat_read(getpid(), &stat));
    assert_int_equal(stat.parent, getppid());
    assert_false(process_stat_read(0x7FFFFFF, &stat));
}

static void test_a_later_word_with_the_same_key_takes_the_place_of_the_first(void **state)
{
    (void)state;
    _cleanup_word_list_ struct word_list list = WORD_LIST_EMPTY;
    word_list_add(&list, "PATH=%s", "/bin");
    word_list_set(&list, "PAT", "x");
    word_list_set(&list, "PATH", "/opt");
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0], "PATH=/opt");
    assert_string_equal(list.items[1], "PAT=x");
    assert_null(list.items[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_beside_a_process_is_read_back),
        cmocka_unit_test(test_a_processs_name_cannot_confuse_the_reader_of_its_fields),
        cmocka_unit_test(test_this_process_is_found_by_its_number),
        cmocka_unit_test(test_a_later_word_with_the_same_key_takes_the_place_of_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
