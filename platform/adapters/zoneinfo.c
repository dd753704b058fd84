#include "platform/adapters/zoneinfo.h"

#include "platform/base/mem.h"
#include "schema/problems.h"
#include "schema/timezone.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FILE_BYTES_MAX = 64 * 1024, NAMES_MAX = 2000, PATH_BYTES = 512 };

static const char *directory(void)
{
    const char *told = getenv("TZDIR");
    return told && told[0] ? told : "/usr/share/zoneinfo";
}

/* ---- what may have been meant ---- */

static bool is_zone(const FTSENT *entry, const char *name)
{
    return entry->fts_info == FTS_F && name[0] >= 'A' && name[0] <= 'Z' && !strchr(name, '.') &&
           timezone_name_is_valid(name);
}

/* The zones that there are; how many. */
static size_t list_names(struct arena *arena, const char **names)
{
    char path[PATH_BYTES];
    char *roots[] = {path, NULL};
    size_t count = 0, prefix = (size_t)snprintf(path, sizeof(path), "%s", directory()) + 1;
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; tree && count < NAMES_MAX && (entry = fts_read(tree));) {
        if (entry->fts_level == 0)
            continue;
        if (is_zone(entry, entry->fts_path + prefix))
            names[count++] = arena_strdup(arena, entry->fts_path + prefix);
    }
    if (tree)
        fts_close(tree);
    return count;
}

static bool ends_with_place(const char *name, const char *place)
{
    const char *last = strrchr(name, '/');
    return strcasecmp(last ? last + 1 : name, place) == 0;
}

static const char *nearest(const char *name, const char *const *names, size_t count)
{
    const char *place = strrchr(name, '/');
    for (size_t i = 0; i < count; i++)
        if (ends_with_place(names[i], place ? place + 1 : name))
            return names[i];
    return problems_nearest(name, names, count);
}

static int not_found(const char *name, struct err *err)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    const char **names = arena_array(&arena, NAMES_MAX, sizeof(*names));
    size_t count = names ? list_names(&arena, names) : 0;
    if (!count)
        return err_set(err, ERR_NOT_SUPPORTED, "there are none in %s: install tzdata", directory());
    const char *meant = nearest(name, names, count);
    return meant ? err_set(err, ERR_NOT_FOUND, "did you mean \"%s\"?", meant)
                 : err_set(err, ERR_NOT_FOUND, "such as Europe/Vienna or UTC");
}

/* ---- the file ---- */

static int read_all(FILE *file, const char *path, struct arena *arena, const void **ret_bytes,
                    size_t *ret_length, struct err *err)
{
    char *bytes = arena_alloc(arena, FILE_BYTES_MAX);
    if (!bytes)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    *ret_length = fread(bytes, 1, FILE_BYTES_MAX, file);
    *ret_bytes = bytes;
    return ferror(file) ? err_set_errno(err, ERR_IO, errno, "%s", path) : 0;
}

static int read_zone(struct zones *zones, const char *name, struct arena *arena,
                     const void **ret_bytes, size_t *ret_length, struct err *err)
{
    char path[PATH_BYTES];
    (void)zones;
    snprintf(path, sizeof(path), "%s/%s", directory(), name);
    FILE *file = timezone_name_is_valid(name) ? fopen(path, "re") : NULL;
    if (!file)
        return not_found(name, err);
    int result = read_all(file, path, arena, ret_bytes, ret_length, err);
    fclose(file);
    return result;
}

struct zones zoneinfo = {.read = read_zone};
