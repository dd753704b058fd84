/* What the disk allows: so many records of a size into an LMDB, so many in a transaction, each
 * transaction synchronised. Prints the seconds. Any failure ends the program. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAP_BYTES = 1 << 30, RECORD_MAX = 65536 };

static void checked(int result)
{
    if (!result)
        return;
    fprintf(stderr, "%s\n", mdb_strerror(result));
    exit(1);
}

static double seconds(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void write_batch(MDB_env *environment, int first, int count, size_t bytes)
{
    static char record[RECORD_MAX];
    MDB_txn *transaction;
    MDB_dbi table;
    checked(mdb_txn_begin(environment, NULL, 0, &transaction));
    checked(mdb_dbi_open(transaction, NULL, 0, &table));
    for (int i = 0; i < count; i++) {
        char text[32];
        MDB_val key = {(size_t)snprintf(text, sizeof text, "record/%d", first + i), text};
        MDB_val value = {bytes, record};
        checked(mdb_put(transaction, table, &key, &value, 0));
    }
    checked(mdb_txn_commit(transaction));
}

int main(int count, char **words)
{
    if (count != 5 || atol(words[3]) > RECORD_MAX) {
        fputs("usage: lmdb_writes DIRECTORY RECORDS BYTES TOGETHER\n", stderr);
        return 2;
    }
    MDB_env *environment;
    int records = atoi(words[2]), together = atoi(words[4]);
    checked(mdb_env_create(&environment));
    checked(mdb_env_set_mapsize(environment, MAP_BYTES));
    checked(mdb_env_open(environment, words[1], 0, 0600));
    double begun = seconds();
    for (int done = 0; done < records; done += together)
        write_batch(environment, done, together, (size_t)atol(words[3]));
    printf("%.4f\n", seconds() - begun);
    mdb_env_close(environment);
    return 0;
}
