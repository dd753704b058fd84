/* Tables for people, by libsmartcols, which is seen only behind this header. */
#ifndef ARGOSY_CLI_TABLE_H
#define ARGOSY_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table;

enum table_flags {
    TABLE_RIGHT = 1, /* numbers */
    TABLE_CUT = 2,   /* may be cut when the terminal is too narrow */
};
struct table_column {
    const char *name;
    int flags;
};

enum { LIMIT_TABLE_COLUMNS = 16 };

struct table *table_new(const struct table_column *columns, size_t count, bool color);
/* As many cells as columns; copied; NULL and "" are shown as "-". `tint` colours the row's cell
 * number `tinted` ("green", "red", "yellow", NULL: none). */
void table_row(struct table *table, const char *const *cells, size_t tinted, const char *tint);
/* To the standard output. Prints the head even when there is no row. */
void table_print(struct table *table);
void table_free(struct table *table);
void table_cleanup(struct table **table);
#define _cleanup_table_ __attribute__((cleanup(table_cleanup)))

#endif
