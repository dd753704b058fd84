/* The store port on LMDB: a file `data.mdb` per store, a named database per table.
 *
 * The map starts small and doubles when it is full: the transaction is aborted, the map resized (no
 * transaction may be open then), and the write done again, so that a caller never sees it. LMDB
 * keeps the pages that a transaction has written until its environment is closed; that is done
 * after a large one, and whoever reads or writes next opens it again. The file is allocated to the
 * map's size, so that a commit does not fail later because somebody else has filled the disk; where
 * the file system cannot, the store still works without that.
 *
 * Failure modes. Disk full: a write gives -ERR_FULL, the data of the last commit stays, and
 * a store that is there can be opened (a node that boots with a full disk starts what it has
 * stored). A crash of the writer loses only what was not committed. A second process is kept out by
 * a lock on `lock` (LMDB's own locking would let it in). WRITEMAP is not used: a full disk would be
 * a SIGBUS. A file that is too short for what its last commit says is refused, since reading it
 * would be a SIGBUS too; damage that LMDB meets later ends the process (LMDB's assertions) with the
 * remedy in the log.
 */
#include "platform/adapters/store_lmdb.h"

#include "platform/adapters/directory.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the pages of so many took is more than the 3 MB that LMDB allocates when it opens. */
enum { WRITES_LARGE = 512 };

#define GIB               ((size_t)1 << 30)
#define MAP_INITIAL_BYTES ((size_t)4 << 20)
/* A 32-bit machine has no more room for addresses; elsewhere the disk is full before. */
#define MAP_MAX_BYTES (SIZE_MAX > UINT32_MAX ? 256 * GIB : GIB)

static const char *const table_names[STORE_TABLE_COUNT] = {
    [STORE_META] = "meta", [STORE_DOCUMENTS] = "documents", [STORE_TOKENS] = "tokens"};

struct lmdb_store {
    struct store store;
    MDB_env *env; /* NULL: closed */
    MDB_dbi tables[STORE_TABLE_COUNT];
    size_t map_bytes;
    int lock_fd;
    char *directory;
};

static struct lmdb_store *lmdb_store(struct store *store)
{
    return (struct lmdb_store *)store;
}

/* Opens it when it is closed. An error of LMDB. */
static int env_obtain(struct lmdb_store *lmdb);

#define REMEDY "move the directory aside, and the store is rebuilt from the broker"

static int lmdb_error(const struct lmdb_store *lmdb, int result, const char *what, struct err *err)
{
    enum err_code code = ERR_IO;
    const char *remedy = "";
    if (result == MDB_MAP_FULL) {
        code = ERR_FULL;
        remedy = "; there is no room for a larger one in this machine's addresses";
    } else if (result == ENOSPC || result == EDQUOT) {
        code = ERR_FULL;
        remedy = "; make room on its disk";
    } else if (result == MDB_CORRUPTED || result == MDB_INVALID || result == MDB_VERSION_MISMATCH ||
               result == MDB_PAGE_NOTFOUND || result == MDB_BAD_DBI || result == MDB_INCOMPATIBLE) {
        code = ERR_CORRUPT;
        remedy = "; " REMEDY;
    } else if (result == ENOMEM) {
        code = ERR_NO_MEMORY;
    }
    return err_set(err, code, "store %s: %s: %s%s", lmdb->directory, what, mdb_strerror(result),
                   remedy);
}

/* ---- the map ---- */

static int env_fd(const struct lmdb_store *lmdb)
{
    int fd, result = mdb_env_get_fd(lmdb->env, &fd);
    ASSERT(!result);
    return fd;
}

static int map_allocate(const struct lmdb_store *lmdb)
{
    int result = posix_fallocate(env_fd(lmdb), 0, (off_t)lmdb->map_bytes);
    return result == EOPNOTSUPP || result == EINVAL ? 0 : result;
}

static int map_resize(struct lmdb_store *lmdb, size_t bytes)
{
    int result = mdb_env_set_mapsize(lmdb->env, bytes);
    if (result)
        return result;
    size_t before = lmdb->map_bytes;
    lmdb->map_bytes = bytes;
    result = map_allocate(lmdb);
    if (result)
        lmdb->map_bytes = before; /* the larger map stays; only its file could not be reserved */
    return result;
}

/* ---- writing ---- */

static int write_apply(const struct lmdb_store *lmdb, MDB_txn *txn, const struct store_write *write)
{
    MDB_val key = {strlen(write->key), (void *)(uintptr_t)write->key};
    MDB_val value = {write->length, (void *)(uintptr_t)write->value};
    if (!write->remove)
        return mdb_put(txn, lmdb->tables[write->table], &key, &value, 0);
    int result = mdb_del(txn, lmdb->tables[write->table], &key, NULL);
    return result == MDB_NOTFOUND ? 0 : result;
}

static int txn_write(struct lmdb_store *lmdb, const struct store_write *writes, size_t count)
{
    MDB_txn *txn;
    int result = mdb_txn_begin(lmdb->env, NULL, 0, &txn);
    if (result)
        return result;
    for (size_t i = 0; i < count && !result; i++)
        result = write_apply(lmdb, txn, &writes[i]);
    if (!result)
        return mdb_txn_commit(txn); /* frees it, whatever the result */
    mdb_txn_abort(txn);
    return result;
}

static int check_writes(const struct lmdb_store *lmdb, const struct store_write *writes,
                        size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        ASSERT(writes[i].table < STORE_TABLE_COUNT && *writes[i].key);
        if (strlen(writes[i].key) > STORE_KEY_MAX)
            return err_set(err, ERR_TOO_LARGE, "store %s: a key of %zu bytes is too long",
                           lmdb->directory, strlen(writes[i].key));
    }
    return 0;
}

static void env_close(struct lmdb_store *lmdb)
{
    if (lmdb->env)
        mdb_env_close(lmdb->env);
    lmdb->env = NULL;
}

static int env_write(struct lmdb_store *lmdb, const struct store_write *writes, size_t count)
{
    int result = env_obtain(lmdb);
    if (result)
        return result;
    result = txn_write(lmdb, writes, count);
    while (result == MDB_MAP_FULL && lmdb->map_bytes < MAP_MAX_BYTES) {
        result = map_resize(lmdb, lmdb->map_bytes * 2);
        if (!result)
            result = txn_write(lmdb, writes, count);
    }
    if (count > WRITES_LARGE)
        env_close(lmdb);
    return result;
}

static void lmdb_write(struct store *store, const struct store_write *writes, size_t count,
                       store_written_fn *written, void *context)
{
    struct lmdb_store *lmdb = lmdb_store(store);
    struct err err = {0};
    int result = check_writes(lmdb, writes, count, &err);
    if (!result) {
        int failed = env_write(lmdb, writes, count);
        result = failed ? lmdb_error(lmdb, failed, "cannot write", &err) : 0;
    }
    written(context, result, &err);
}

static void lmdb_settle(struct store *store)
{
    (void)store;
}

/* ---- reading ---- */

static int scan_cursor(struct lmdb_store *lmdb, MDB_cursor *cursor, store_visit_fn *visit,
                       void *context, struct err *err)
{
    MDB_val key, value;
    int result = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; !result; result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        char text[STORE_KEY_MAX + 1];
        if (key.mv_size > STORE_KEY_MAX)
            return err_set(err, ERR_CORRUPT, "store %s: a key is too long", lmdb->directory);
        memcpy(text, key.mv_data, key.mv_size);
        text[key.mv_size] = '\0';
        int visited = visit(context, text, value.mv_data, value.mv_size);
        if (visited)
            return visited;
    }
    return result == MDB_NOTFOUND ? 0 : lmdb_error(lmdb, result, "cannot read", err);
}

static int lmdb_scan(struct store *store, enum store_table table, store_visit_fn *visit,
                     void *context, struct err *err)
{
    struct lmdb_store *lmdb = lmdb_store(store);
    MDB_txn *txn;
    MDB_cursor *cursor;
    int result = env_obtain(lmdb);
    if (!result)
        result = mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn);
    if (result)
        return lmdb_error(lmdb, result, "cannot read", err);
    result = mdb_cursor_open(txn, lmdb->tables[table], &cursor);
    if (result) {
        result = lmdb_error(lmdb, result, "cannot read", err);
    } else {
        result = scan_cursor(lmdb, cursor, visit, context, err);
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return result;
}

/* ---- opening ---- */

static void lmdb_close(struct store *store)
{
    if (!store)
        return;
    struct lmdb_store *lmdb = lmdb_store(store);
    env_close(lmdb);
    if (lmdb->lock_fd >= 0)
        close(lmdb->lock_fd);
    free(lmdb->directory);
    free(lmdb);
}

static const struct store_ops lmdb_store_ops = {.name = "lmdb",
                                                .write = lmdb_write,
                                                .settle = lmdb_settle,
                                                .scan = lmdb_scan,
                                                .close = lmdb_close};

/* The holder's pid is in the lock file, for the message only, and always as long: writing it over
 * the last one needs no room on the disk. */
static int store_lock(struct lmdb_store *lmdb, struct err *err)
{
    _cleanup_free_ char *path = mem_printf("%s/lock", lmdb->directory);
    char pid[12] = "";
    lmdb->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lmdb->lock_fd < 0)
        return err_set_errno(err, errno == ENOSPC ? ERR_FULL : ERR_IO, errno, "cannot open %s",
                             path);
    if (flock(lmdb->lock_fd, LOCK_EX | LOCK_NB)) {
        ssize_t length = read(lmdb->lock_fd, pid, sizeof pid - 1);
        return err_set(err, ERR_BUSY, "store %s is in use by process %lld", lmdb->directory,
                       length > 0 ? atoll(pid) : 0);
    }
    int length = snprintf(pid, sizeof pid, "%10d\n", (int)getpid());
    if (pwrite(lmdb->lock_fd, pid, (size_t)length, 0) != length)
        return err_set_errno(err, ERR_FULL, errno, "cannot write %s", path);
    return 0;
}

static int tables_open(struct lmdb_store *lmdb)
{
    MDB_txn *txn;
    int result = mdb_txn_begin(lmdb->env, NULL, 0, &txn);
    if (result)
        return result;
    for (int i = 0; i < STORE_TABLE_COUNT && !result; i++)
        result = mdb_dbi_open(txn, table_names[i], MDB_CREATE, &lmdb->tables[i]);
    if (!result)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return result;
}

static size_t map_size_of_file(const struct lmdb_store *lmdb)
{
    _cleanup_free_ char *path = mem_printf("%s/data.mdb", lmdb->directory);
    struct stat file;
    size_t bytes = MAP_INITIAL_BYTES;
    while (!stat(path, &file) && file.st_size > 0 && bytes < (size_t)file.st_size)
        bytes *= 2;
    return bytes;
}

static void on_damage(MDB_env *env, const char *message)
{
    const struct lmdb_store *lmdb = mdb_env_get_userctx(env);
    log_error("store %s is damaged (%s); " REMEDY, lmdb->directory, message);
}

static int env_create(struct lmdb_store *lmdb)
{
    lmdb->map_bytes = map_size_of_file(lmdb);
    int result = mdb_env_create(&lmdb->env);
    if (!result)
        result = mdb_env_set_maxdbs(lmdb->env, STORE_TABLE_COUNT);
    if (!result)
        result = mdb_env_set_mapsize(lmdb->env, lmdb->map_bytes);
    if (!result)
        result = mdb_env_set_userctx(lmdb->env, lmdb);
    if (!result)
        result = mdb_env_set_assert(lmdb->env, on_damage);
    return result;
}

/* Whether every page that the last commit speaks of is in the file. */
static int file_check(const struct lmdb_store *lmdb)
{
    struct stat file;
    MDB_envinfo info;
    MDB_stat pages;
    int result = mdb_env_info(lmdb->env, &info);
    if (!result)
        result = mdb_env_stat(lmdb->env, &pages);
    if (!result && fstat(env_fd(lmdb), &file))
        result = errno;
    if (!result && (size_t)file.st_size / pages.ms_psize <= info.me_last_pgno)
        result = MDB_CORRUPTED;
    return result;
}

/* A new file is only there for good when its directory is on disk. */
static int directory_sync(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int result = fsync(fd) && errno != EINVAL ? errno : 0; /* EINVAL: it has no such thing */
    close(fd);
    return result;
}

static int env_open(struct lmdb_store *lmdb)
{
    int dead;
    int result = env_create(lmdb);
    if (!result)
        result = mdb_env_open(lmdb->env, lmdb->directory, MDB_NOTLS, 0600);
    if (!result)
        result = file_check(lmdb);
    if (!result)
        result = mdb_reader_check(lmdb->env, &dead);
    if (!result)
        result = tables_open(lmdb);
    if (!result)
        map_allocate(lmdb); /* only a precaution: writing says what is wrong, when it is */
    return result;
}

static int env_obtain(struct lmdb_store *lmdb)
{
    int result = lmdb->env ? 0 : env_open(lmdb);
    if (result)
        env_close(lmdb);
    return result;
}

int lmdb_store_open(const char *directory, struct store **ret_store, struct err *err)
{
    int result = directory_make(directory, err);
    if (result)
        return result;
    struct lmdb_store *lmdb = mem_alloc(sizeof *lmdb);
    lmdb->store.ops = &lmdb_store_ops;
    lmdb->lock_fd = -1;
    lmdb->directory = mem_strdup(directory);
    result = store_lock(lmdb, err);
    if (!result) {
        int opened = env_obtain(lmdb);
        if (!opened)
            opened = directory_sync(directory);
        result = opened ? lmdb_error(lmdb, opened, "cannot open", err) : 0;
    }
    if (result) {
        lmdb_close(&lmdb->store);
        return result;
    }
    *ret_store = &lmdb->store;
    return 0;
}
