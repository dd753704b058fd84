#include "cli/table.h"

#include "platform/base/mem.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>

struct table {
    struct libscols_table *scols;
    const struct table_column *columns;
    size_t count;
};

struct table *table_new(const struct table_column *columns, size_t count, bool color)
{
    struct table *table = mem_alloc(sizeof *table);
    ASSERT(count <= LIMIT_TABLE_COLUMNS);
    table->columns = columns;
    table->count = count;
    table->scols = scols_new_table();
    ASSERT(table->scols);
    scols_table_enable_colors(table->scols, color);
    scols_table_set_column_separator(table->scols, "  ");
    for (size_t i = 0; i < count; i++) {
        int flags = (columns[i].flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) |
                    (columns[i].flags & TABLE_CUT ? SCOLS_FL_TRUNC : 0);
        ASSERT(scols_table_new_column(table->scols, columns[i].name, 0, flags));
    }
    return table;
}

void table_row(struct table *table, const char *const *cells, size_t tinted, const char *tint)
{
    struct libscols_line *line = scols_table_new_line(table->scols, NULL);
    ASSERT(line);
    for (size_t i = 0; i < table->count; i++) {
        const char *cell = cells[i] && *cells[i] ? cells[i] : "-";
        ASSERT(scols_line_set_data(line, i, cell) == 0);
    }
    if (tint)
        scols_cell_set_color(scols_line_get_cell(line, tinted), tint);
}

/* libsmartcols prints nothing at all for a table without rows. */
static void print_head(const struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        printf("%s%s", i ? "  " : "", table->columns[i].name);
    putchar('\n');
}

void table_print(struct table *table)
{
    if (scols_table_is_empty(table->scols))
        print_head(table);
    else
        scols_print_table(table->scols);
}

void table_free(struct table *table)
{
    if (!table)
        return;
    scols_unref_table(table->scols);
    free(table);
}

void table_cleanup(struct table **table)
{
    table_free(*table);
}
