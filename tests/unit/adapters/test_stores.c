/* The same cases for every store behind the port, and what only LMDB has to stand. */
#include "platform/adapters/loop.h"
#include "platform/adapters/store_background.h"
#include "platform/adapters/store_lmdb.h"
#include "platform/adapters/store_memory.h"
#include "platform/base/buf.h"
#include "platform/base/mem.h"
#include "tests/store_write.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64];

static struct store *open_lmdb(void)
{
    struct store *store;
    struct err err = {0};
    if (lmdb_store_open(directory, &store, &err))
        fail_msg("%s", err.text);
    return store;
}

static struct store *open_memory(void)
{
    return memory_store_new();
}

static int directory_make(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/argosy-store-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int directory_remove(void **state)
{
    (void)state;
    char command[100];
    umount2(directory, MNT_DETACH); /* when a test ended before it did */
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static void write_one(struct store *store, const char *key, const char *value)
{
    struct err err = {0};
    assert_int_equal(store_put(store, STORE_DOCUMENTS, key, value, &err), 0);
}

/* k0000, k0001 ... with this value each, in one transaction. */
static int write_many(struct store *store, size_t count, const void *value, size_t length,
                      struct err *err)
{
    struct store_write *writes = mem_resize(NULL, count, sizeof *writes);
    char(*keys)[24] = mem_resize(NULL, count, sizeof *keys);
    for (size_t i = 0; i < count; i++) {
        snprintf(keys[i], sizeof keys[i], "k%04zu", i);
        writes[i] = (struct store_write){STORE_DOCUMENTS, false, keys[i], value, length};
    }
    int result = store_write(store, writes, count, err);
    free(writes);
    free(keys);
    return result;
}

static int add_record(void *context, const char *key, const void *value, size_t length)
{
    buf_printf(context, "%s=%.*s ", key, (int)length, (const char *)value);
    return 0;
}

static void assert_holds(struct store *store, enum store_table table, const char *expected)
{
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    struct err err = {0};
    assert_int_equal(store->ops->scan(store, table, add_record, &text, &err), 0);
    assert_string_equal(buf_text(&text), expected);
}

static void check_store(struct store *store)
{
    struct err err = {0};
    assert_holds(store, STORE_DOCUMENTS, "");
    write_one(store, "b", "2");
    write_one(store, "a", "1");
    write_one(store, "a", "one");
    assert_holds(store, STORE_DOCUMENTS, "a=one b=2 ");
    assert_holds(store, STORE_TOKENS, "");

    char key[STORE_KEY_MAX + 2];
    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = '\0';
    struct store_write writes[] = {{STORE_TOKENS, false, "t", "x", 1},
                                   {STORE_DOCUMENTS, true, "a", NULL, 0},
                                   {STORE_DOCUMENTS, true, "never there", NULL, 0},
                                   {STORE_TOKENS, false, key, "", 0}};
    assert_int_equal(store_write(store, writes, 4, &err), -ERR_TOO_LARGE);
    assert_holds(store, STORE_DOCUMENTS, "a=one b=2 ");
    assert_holds(store, STORE_TOKENS, "");
    assert_int_equal(store_write(store, writes, 3, &err), 0);
    assert_holds(store, STORE_DOCUMENTS, "b=2 ");
    assert_holds(store, STORE_TOKENS, "t=x ");
}

static void a_store_in_memory_keeps_what_was_committed_and_only_that(void **state)
{
    (void)state;
    struct store *store = open_memory();
    check_store(store);
    store->ops->close(store);
}

static void a_store_on_disk_keeps_what_was_committed_and_only_that(void **state)
{
    (void)state;
    struct store *store = open_lmdb();
    check_store(store);
    store->ops->close(store);
    store = open_lmdb();
    assert_holds(store, STORE_DOCUMENTS, "b=2 ");
    store->ops->close(store);
}

static void note_written(void *context, int result, const struct err *err)
{
    (void)err;
    *(int *)context = result;
}

/* Whatever is asked of it while it writes waits for that. */
static void a_store_in_the_background_tells_later_what_was_written(void **state)
{
    enum { NOT_YET = 77 };
    (void)state;
    struct loop *loop = loop_new();
    struct store *store = background_store_new(open_lmdb(), loop);
    struct store_write write = {STORE_DOCUMENTS, false, "c", "3", 1};
    int result = NOT_YET;
    check_store(store);
    store->ops->write(store, &write, 1, note_written, &result);
    assert_int_equal(result, NOT_YET);
    assert_holds(store, STORE_DOCUMENTS, "b=2 c=3 ");
    assert_int_equal(result, NOT_YET);
    while (result == NOT_YET)
        loop_run_once(loop);
    assert_int_equal(result, 0);
    result = NOT_YET;
    store->ops->write(store, &write, 1, note_written, &result);
    store->ops->settle(store);
    assert_int_equal(result, 0);
    store->ops->close(store);
    loop_free(loop);
}

static void the_nth_write_fails_and_the_last_commit_stays(void **state)
{
    (void)state;
    struct store *store = open_memory();
    struct err err = {0};
    write_one(store, "a", "1");
    memory_store_fail(store, 2, ERR_FULL);
    write_one(store, "a", "2");
    assert_int_equal(store_put(store, STORE_DOCUMENTS, "a", "3", &err), -ERR_FULL);
    assert_holds(store, STORE_DOCUMENTS, "a=2 ");
    write_one(store, "a", "3");
    assert_holds(store, STORE_DOCUMENTS, "a=3 ");
    store->ops->close(store);
}

static void a_second_process_is_refused_with_the_holders_pid(void **state)
{
    (void)state;
    struct store *store = open_lmdb(), *second;
    struct err err = {0};
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    assert_int_equal(lmdb_store_open(directory, &second, &err), -ERR_BUSY);
    assert_non_null(strstr(err.text, pid));
    store->ops->close(store);
}

static void a_full_map_grows_inside_a_transaction(void **state)
{
    (void)state;
    struct store *store = open_lmdb();
    struct err err = {0};
    static char value[100000];
    memset(value, 'v', sizeof value);
    if (write_many(store, 200, value, sizeof value, &err)) /* five times the first map */
        fail_msg("%s", err.text);
    store->ops->close(store);
    store = open_lmdb();
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    assert_int_equal(store->ops->scan(store, STORE_DOCUMENTS, add_record, &text, &err), 0);
    assert_int_equal(text.length, 200 * (sizeof value + strlen("k0000= ")));
    store->ops->close(store);
}

static void a_store_gives_back_what_a_large_transaction_took_and_goes_on(void **state)
{
    (void)state;
    struct store *store = open_lmdb();
    struct err err = {0};
    assert_int_equal(write_many(store, 1000, "v", 1, &err), 0);
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    assert_int_equal(store->ops->scan(store, STORE_DOCUMENTS, add_record, &text, &err), 0);
    assert_int_equal(text.length, 1000 * strlen("k0000=v "));
    write_one(store, "k0000", "w");
    store->ops->close(store);
    store = open_lmdb();
    assert_int_equal(store->ops->scan(store, STORE_DOCUMENTS, add_record, &text, &err), 0);
    assert_non_null(strstr(buf_text(&text), "k0999=v k0000=w k0001=v "));
    store->ops->close(store);
}

/* Tells through a pipe what it has committed, until it is killed. */
static void write_until_killed(int fd)
{
    struct store *store = open_lmdb();
    for (int i = 1;; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        write_one(store, "last", text);
        if (write(fd, &i, sizeof i) != (ssize_t)sizeof i)
            _exit(1);
    }
}

static void what_was_committed_survives_kill_nine(void **state)
{
    (void)state;
    int ends[2], committed = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child)
        write_until_killed(ends[1]);
    close(ends[1]);
    while (committed < 50)
        assert_int_equal(read(ends[0], &committed, sizeof committed), sizeof committed);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(ends[0], &committed, sizeof committed) == (ssize_t)sizeof committed)
        ;
    close(ends[0]);
    struct store *store = open_lmdb();
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    struct err err = {0};
    assert_int_equal(store->ops->scan(store, STORE_DOCUMENTS, add_record, &text, &err), 0);
    assert_true(atoi(buf_text(&text) + strlen("last=")) >= committed);
    store->ops->close(store);
}

static void a_full_disk_is_an_error_and_what_was_committed_stays(void **state)
{
    (void)state;
    if (mount("tmpfs", directory, "tmpfs", 0, "size=6m"))
        fail_msg("this test mounts a small tmpfs and needs root: %s", strerror(errno));
    struct store *store = open_lmdb();
    struct err err = {0};
    write_one(store, "a", "1");
    static char value[100000];
    assert_int_equal(write_many(store, 200, value, sizeof value, &err), -ERR_FULL);
    write_one(store, "a", "2"); /* what fits still goes */
    assert_holds(store, STORE_DOCUMENTS, "a=2 ");
    store->ops->close(store);
    assert_int_equal(umount(directory), 0);
}

static void a_damaged_file_is_refused_with_a_remedy(void **state)
{
    (void)state;
    char path[100];
    snprintf(path, sizeof path, "%s/data.mdb", directory);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 8192; i++)
        fputs("rubbish ", file);
    fclose(file);
    struct store *store;
    struct err err = {0};
    assert_int_equal(lmdb_store_open(directory, &store, &err), -ERR_CORRUPT);
    assert_non_null(strstr(err.text, "move the directory aside"));
}

static void a_file_that_was_cut_short_is_refused(void **state)
{
    (void)state;
    struct store *store = open_lmdb();
    struct err err = {0};
    static char value[100000];
    write_one(store, "a", "1");
    assert_int_equal(write_many(store, 1, value, sizeof value, &err), 0);
    store->ops->close(store);
    char path[100];
    snprintf(path, sizeof path, "%s/data.mdb", directory);
    assert_int_equal(truncate(path, 16384), 0);
    assert_int_equal(lmdb_store_open(directory, &store, &err), -ERR_CORRUPT);
    assert_non_null(strstr(err.text, "move the directory aside"));
}

/* Its file is not allocated to the map's size: copied, and then the disk filled by somebody else.
 */
static void a_store_on_a_full_disk_can_still_be_opened_and_read(void **state)
{
    (void)state;
    char path[100], other[100];
    snprintf(path, sizeof path, "%s/data.mdb", directory);
    snprintf(other, sizeof other, "%s/other", directory);
    if (mount("tmpfs", directory, "tmpfs", 0, "size=6m"))
        fail_msg("this test mounts a small tmpfs and needs root: %s", strerror(errno));
    struct store *store = open_lmdb();
    write_one(store, "a", "1");
    store->ops->close(store);
    assert_int_equal(truncate(path, 64 * 4096), 0);
    FILE *file = fopen(other, "w");
    while (fputs("somebody else's data, up to the last byte\n", file) >= 0)
        ;
    fclose(file);
    store = open_lmdb();
    assert_holds(store, STORE_DOCUMENTS, "a=1 ");
    store->ops->close(store);
    assert_int_equal(umount(directory), 0);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, directory_make, directory_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_in_memory_keeps_what_was_committed_and_only_that),
        cmocka_unit_test(the_nth_write_fails_and_the_last_commit_stays),
        ON_DISK(a_store_on_disk_keeps_what_was_committed_and_only_that),
        ON_DISK(a_store_in_the_background_tells_later_what_was_written),
        ON_DISK(a_second_process_is_refused_with_the_holders_pid),
        ON_DISK(a_full_map_grows_inside_a_transaction),
        ON_DISK(a_store_gives_back_what_a_large_transaction_took_and_goes_on),
        ON_DISK(what_was_committed_survives_kill_nine),
        ON_DISK(a_full_disk_is_an_error_and_what_was_committed_stays),
        ON_DISK(a_damaged_file_is_refused_with_a_remedy),
        ON_DISK(a_file_that_was_cut_short_is_refused),
        ON_DISK(a_store_on_a_full_disk_can_still_be_opened_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
