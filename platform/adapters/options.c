/* Each layer writes its texts over those of the layer before it; at the end every text is parsed
 * once. What is wrong in any of them is collected, with its place, and told together. */
#include "platform/adapters/options.h"

#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "schema/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct raw {
    const char *text;  /* NULL: no value */
    const char *place; /* where it was written; NULL: the default */
};

struct loading {
    const struct options *options;
    struct arena *arena;
    struct problems *problems;
    struct raw *raw; /* by row */
    const char *config;
    bool help, version;
};

/* ---- rows ---- */

static const struct option_row *row_find(const struct loading *loading, const char *name,
                                         size_t length)
{
    for (size_t i = 0; i < loading->options->count; i++) {
        const struct option_row *row = &loading->options->rows[i];
        if (strlen(row->name) == length && !memcmp(row->name, name, length))
            return row;
    }
    return NULL;
}

static const struct option_row *row_by_letter(const struct loading *loading, char letter)
{
    for (size_t i = 0; i < loading->options->count; i++)
        if (letter && loading->options->rows[i].letter == letter)
            return &loading->options->rows[i];
    return NULL;
}

static void tell_unknown(struct loading *loading, const char *place, const char *name)
{
    const size_t count = loading->options->count;
    const char **names = mem_alloc((count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = loading->options->rows[i].name;
    const char *nearest = problems_nearest(name, names, count);
    char hint[128];
    snprintf(hint, sizeof hint, nearest ? "did you mean %s?" : "%s --help lists all",
             nearest ? nearest : loading->options->program);
    problems_add(loading->problems, place, hint, "there is no option \"%s\"", name);
    free(names);
}

static struct raw *row_raw(struct loading *loading, const struct option_row *row)
{
    return &loading->raw[row - loading->options->rows];
}

/* ---- the layers ---- */

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

static void load_line(struct loading *loading, const char *place, char *line)
{
    char *name = trim(line);
    if (!*name || *name == '#')
        return;
    char *equals = strchr(name, '=');
    if (!equals) {
        problems_add(loading->problems, place, "write name = value", "\"%s\" is no setting", name);
        return;
    }
    *equals = '\0';
    name = trim(name);
    const struct option_row *row = row_find(loading, name, strlen(name));
    if (!row)
        tell_unknown(loading, place, name);
    else
        *row_raw(loading, row) =
            (struct raw){arena_strdup(loading->arena, trim(equals + 1)), place};
}

static void load_file(struct loading *loading)
{
    _cleanup_free_ char *standard = mem_printf("/etc/argosy/%s.conf", loading->options->program);
    const char *path = loading->config ? loading->config : standard;
    FILE *file = fopen(path, "re");
    if (!file) {
        if (loading->config || errno != ENOENT)
            problems_add(loading->problems, path, NULL, "cannot be read: %s", strerror(errno));
        return;
    }
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    for (int number = 1; getline(&line, &size, file) >= 0; number++)
        load_line(loading, arena_printf(loading->arena, "%s:%d", path, number), line);
    if (ferror(file))
        problems_add(loading->problems, path, NULL, "cannot be read: %s", strerror(errno));
    fclose(file);
}

static const char *environment_find(const char *const *environment, const char *name)
{
    size_t length = strlen(name);
    for (; environment && *environment; environment++)
        if (!strncmp(*environment, name, length) && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}

static void load_environment(struct loading *loading, const char *const *environment)
{
    for (size_t i = 0; i < loading->options->count; i++) {
        char *name = arena_printf(loading->arena, "ARGOSY_%s", loading->options->rows[i].name);
        for (char *c = name; *c; c++)
            *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
        const char *value = environment_find(environment, name);
        if (value)
            loading->raw[i] = (struct raw){value, name};
    }
}

/* A list that is repeated on the command line is one list. */
static void take_argument(struct loading *loading, const struct option_row *row, const char *value)
{
    struct raw *raw = row_raw(loading, row);
    const char *place = arena_printf(loading->arena, "--%s", row->name);
    bool repeated = raw->place && !strcmp(raw->place, place);
    if (repeated && (row->kind == OPTION_LIST || row->kind == OPTION_MAP))
        value = arena_printf(loading->arena, "%s,%s", raw->text, value);
    *raw = (struct raw){value, place};
}

static bool take_special(struct loading *loading, const char *name, size_t length)
{
    bool help = length == 4 && !memcmp(name, "help", 4);
    bool version = length == 7 && !memcmp(name, "version", 7);
    loading->help |= help;
    loading->version |= version;
    return help || version;
}

/* One word of the command line, perhaps with the next; returns how many were used. */
static int load_word(struct loading *loading, const char *word, const char *next)
{
    if (word[0] != '-' || !word[1]) {
        problems_add(loading->problems, word, "options begin with --", "is no option");
        return 1;
    }
    bool is_long = word[1] == '-';
    const char *name = word + 1 + is_long;
    const char *equals = is_long ? strchr(name, '=') : NULL;
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    if (!strcmp(word, "-h"))
        return load_word(loading, "--help", NULL);
    if (is_long && take_special(loading, name, length))
        return 1;
    const char *value = equals ? equals + 1 : next;
    if (is_long && length == 6 && !memcmp(name, "config", 6)) {
        loading->config = value;
        if (!value)
            problems_add(loading->problems, word, "--config FILE", "needs a value");
        return equals ? 1 : 2;
    }
    const struct option_row *row = is_long       ? row_find(loading, name, length)
                                   : length == 1 ? row_by_letter(loading, *name)
                                                 : NULL;
    if (!row) {
        tell_unknown(loading, word, arena_strndup(loading->arena, name, length));
        return equals || !next || *next == '-' ? 1 : 2; /* its value is no second mistake */
    }
    if (row->kind == OPTION_SWITCH && !equals) {
        take_argument(loading, row, "yes");
        return 1;
    }
    if (!value)
        problems_add(loading->problems, word, NULL, "needs a value (%s)", row->argument);
    else
        take_argument(loading, row, value);
    return equals ? 1 : 2;
}

/* ---- parsing ---- */

static bool parse_int(const char *text, int64_t *ret_value, const char **ret_hint)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    *ret_hint = "write a whole number";
    *ret_value = value;
    return !errno && end != text && !*end;
}

static bool parse_switch(const char *text, bool *ret_value)
{
    static const char *const words[] = {"no", "yes", "false", "true", "0", "1"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (!strcmp(text, words[i])) {
            *ret_value = i % 2;
            return true;
        }
    return false;
}

static struct string_list parse_list(const char *text, struct arena *arena)
{
    size_t count = 1;
    for (const char *c = text; *c; c++)
        count += *c == ',';
    struct string_list list = {arena_array(arena, count, sizeof *list.items), 0};
    char *copy = arena_strdup(arena, text), *save = NULL;
    for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save))
        if (*(item = trim(item)))
            list.items[list.count++] = item;
    return list;
}

static int pair_compare(const void *a, const void *b)
{
    return strcmp(((const struct string_pair *)a)->key, ((const struct string_pair *)b)->key);
}

static bool parse_map(const char *text, struct arena *arena, struct string_map *ret_map)
{
    struct string_list list = parse_list(text, arena);
    struct string_map map = {arena_array(arena, list.count, sizeof *map.items), 0};
    for (size_t i = 0; i < list.count; i++) {
        char *item = arena_strdup(arena, list.items[i]);
        char *equals = strchr(item, '=');
        if (!equals || equals == item)
            return false;
        *equals = '\0';
        map.items[map.count++] = (struct string_pair){item, equals + 1};
    }
    if (map.count)
        qsort(map.items, map.count, sizeof *map.items, pair_compare);
    for (size_t i = 1; i < map.count; i++)
        if (!pair_compare(&map.items[i - 1], &map.items[i]))
            return false;
    *ret_map = map;
    return true;
}

static void format_int(int64_t value, char ret_text[QUANTITY_TEXT_LENGTH])
{
    snprintf(ret_text, QUANTITY_TEXT_LENGTH, "%lld", (long long)value);
}

/* The kinds that are numbers. */
static const struct {
    bool (*parse)(const char *text, int64_t *ret_value, const char **ret_hint);
    void (*format)(int64_t value, char ret_text[QUANTITY_TEXT_LENGTH]);
} numbers[] = {[OPTION_INT] = {parse_int, format_int},
               [OPTION_DURATION] = {duration_parse, duration_format},
               [OPTION_SIZE] = {size_parse, size_format},
               [OPTION_CPU] = {cpu_parse, cpu_format}};

static void store_number(struct loading *loading, const struct option_row *row,
                         const struct raw *raw, int64_t *ret_value)
{
    const char *hint = NULL;
    *ret_value = UNSET;
    if (!raw->text)
        return;
    if (!numbers[row->kind].parse(raw->text, ret_value, &hint)) {
        problems_add(loading->problems, raw->place, hint, "\"%s\" is not a value for %s", raw->text,
                     row->name);
    } else if ((row->min || row->max) && (*ret_value < row->min || *ret_value > row->max)) {
        char min[QUANTITY_TEXT_LENGTH], max[QUANTITY_TEXT_LENGTH];
        numbers[row->kind].format(row->min, min);
        numbers[row->kind].format(row->max, max);
        problems_add(loading->problems, raw->place, NULL,
                     "%s is out of bounds: %s may be from %s to %s", raw->text, row->name, min,
                     max);
    }
}

static void store_word(struct loading *loading, const struct option_row *row, const struct raw *raw,
                       int *ret_value)
{
    _cleanup_buf_ struct buf words = BUF_EMPTY;
    *ret_value = raw->text ? words_from_string(row->words, raw->text) : 0;
    if (*ret_value || !raw->text)
        return;
    for (size_t i = 0; i < row->words->count; i++)
        buf_printf(&words, "%s%s", i ? ", " : "one of ", row->words->items[i].text);
    problems_add(loading->problems, raw->place, buf_text(&words), "\"%s\" is not a value for %s",
                 raw->text, row->name);
}

static void store_value(struct loading *loading, const struct option_row *row,
                        const struct raw *raw, void *member)
{
    const char *text = raw->text;
    switch (row->kind) {
    case OPTION_TEXT:
        *(const char **)member = text && *text ? text : NULL;
        return;
    case OPTION_WORD:
        store_word(loading, row, raw, member);
        return;
    case OPTION_LIST:
        *(struct string_list *)member = parse_list(text ? text : "", loading->arena);
        return;
    case OPTION_SWITCH:
        *(bool *)member = false;
        if (text && !parse_switch(text, member))
            problems_add(loading->problems, raw->place, "write yes or no", "\"%s\" is neither",
                         text);
        return;
    case OPTION_MAP:
        if (!parse_map(text ? text : "", loading->arena, member))
            problems_add(loading->problems, raw->place, "write key=value,key=value, each key once",
                         "\"%s\" is no map", text);
        return;
    case OPTION_INT:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_CPU:
        store_number(loading, row, raw, member);
        return;
    }
}

/* ---- telling ---- */

static void print_help(const struct options *options)
{
    printf("Usage: %s [OPTION…]\n%s\n\n", options->program, options->summary);
    for (size_t i = 0; i < options->count; i++) {
        const struct option_row *row = &options->rows[i];
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", row->name, row->argument ? " " : "",
                 row->argument ? row->argument : "");
        printf("  %c%c %-28s %s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ', left,
               row->help);
        printf(row->fallback && *row->fallback ? " (default %s)\n" : "\n", row->fallback);
    }
    printf("     %-28s settings, name = value (default /etc/argosy/%s.conf)\n", "--config FILE",
           options->program);
    printf("  -h --help\n     --version\n\n"
           "Each is also read from the environment (ARGOSY_NAME); the command line comes first.\n");
}

/* False, and nothing written, when there is no value. */
static bool describe_value(const struct option_row *row, const void *member, struct buf *out)
{
    const struct string_list *list = member;
    const struct string_map *map = member;
    size_t before = out->length;
    switch (row->kind) {
    case OPTION_TEXT:
        if (*(const char *const *)member)
            buf_add_text(out, *(const char *const *)member);
        break;
    case OPTION_SWITCH:
        buf_add_text(out, *(const bool *)member ? "yes" : "no");
        break;
    case OPTION_WORD:
        if (*(const int *)member)
            buf_add_text(out, words_to_string(row->words, *(const int *)member));
        break;
    case OPTION_LIST:
        for (size_t i = 0; i < list->count; i++)
            buf_printf(out, "%s%s", i ? "," : "", list->items[i]);
        break;
    case OPTION_MAP:
        for (size_t i = 0; i < map->count; i++)
            buf_printf(out, "%s%s=%s", i ? "," : "", map->items[i].key, map->items[i].value);
        break;
    case OPTION_INT:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_CPU:
        if (*(const int64_t *)member != UNSET) {
            char text[QUANTITY_TEXT_LENGTH];
            numbers[row->kind].format(*(const int64_t *)member, text);
            buf_add_text(out, text);
        }
        break;
    }
    return out->length > before;
}

void options_describe(const struct options *options, const void *settings, struct buf *out)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct option_row *row = &options->rows[i];
        _cleanup_buf_ struct buf value = BUF_EMPTY;
        if (describe_value(row, (const char *)settings + row->offset, &value))
            buf_printf(out, "%s%s=%s", out->length ? " " : "", row->name,
                       row->secret ? "***" : buf_text(&value));
    }
}

void options_print_problems(const struct options *options, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        fprintf(stderr, "%s: %s: %s", options->program, problem->path, problem->message);
        fprintf(stderr, problem->hint ? " (%s)\n" : "\n", problem->hint);
    }
}

int options_load(const struct options *options, int argc, char *const *argv,
                 const char *const *environment, void *settings, struct arena *arena,
                 struct problems *problems)
{
    struct loading command_line = {.options = options,
                                   .arena = arena,
                                   .problems = problems,
                                   .raw = arena_array(arena, options->count, sizeof(struct raw))};
    struct loading loading = command_line;
    loading.raw = arena_array(arena, options->count, sizeof(struct raw));
    for (int i = 1; i < argc;)
        i += load_word(&command_line, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
    if (command_line.help)
        print_help(options);
    else if (command_line.version)
        printf("%s %s\n", options->program, ARGOSY_VERSION);
    if (command_line.help || command_line.version)
        return 1;
    for (size_t i = 0; i < options->count; i++)
        loading.raw[i] = (struct raw){options->rows[i].fallback, NULL};
    loading.config = command_line.config;
    load_file(&loading);
    load_environment(&loading, environment);
    for (size_t i = 0; i < options->count; i++) {
        if (command_line.raw[i].place)
            loading.raw[i] = command_line.raw[i];
        store_value(&loading, &options->rows[i], &loading.raw[i],
                    (char *)settings + options->rows[i].offset);
    }
    return problems_any(problems) ? -ERR_INVALID : 0;
}
