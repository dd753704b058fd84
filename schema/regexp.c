/* A pattern is compiled to a program for a machine that follows all alternatives at once (Thompson,
 * "Regular Expression Search Algorithm", 1968; Cox, "Regular Expression Matching: the Virtual
 * Machine Approach", 2009). Jumps are relative, so a piece of program can be moved and copied. */
#include "schema/regexp.h"

#include "platform/base/err.h"
#include "platform/base/mem.h"

#include <stdint.h>
#include <string.h>

enum {
    PROGRAM_MAX = 1000,
    SETS_MAX = 100,
    DEPTH_MAX = 50,
    REPEAT_MAX = 255,
};

enum code { CODE_SET, CODE_SPLIT, CODE_JUMP, CODE_BEGIN, CODE_END, CODE_MATCH };

struct instruction {
    enum code code;
    int first, second; /* SPLIT and JUMP: where to, relative; SET: first is the set's number */
};

struct byte_set {
    uint64_t words[4];
};

struct regexp {
    struct instruction *program;
    struct byte_set *sets;
};

struct parser {
    const char *pattern, *at;
    struct instruction program[PROGRAM_MAX];
    struct byte_set sets[SETS_MAX];
    int length, set_count, depth;
    const char *message; /* what is wrong at `at` */
};

/* ---- sets of bytes ---- */

static bool set_has(const struct byte_set *set, unsigned char byte)
{
    return set->words[byte / 64] >> (byte % 64) & 1;
}

static void set_add(struct byte_set *set, unsigned char byte)
{
    set->words[byte / 64] |= (uint64_t)1 << (byte % 64);
}

static void set_add_range(struct byte_set *set, int from, int to)
{
    for (int byte = from; byte <= to; byte++)
        set_add(set, (unsigned char)byte);
}

static void set_invert(struct byte_set *set)
{
    for (size_t i = 0; i < ARRAY_LENGTH(set->words); i++)
        set->words[i] = ~set->words[i];
}

static void set_merge(struct byte_set *set, const struct byte_set *other)
{
    for (size_t i = 0; i < ARRAY_LENGTH(set->words); i++)
        set->words[i] |= other->words[i];
}

/* ASCII only: a locale must not change what a constraint means. Ranges are pairs. */
static const struct byte_class {
    const char *name;
    const char *ranges;
} classes[] = {
    {"alnum", "09AZaz"},   {"alpha", "AZaz"},   {"digit", "09"},      {"lower", "az"},
    {"upper", "AZ"},       {"space", "\t\r  "}, {"word", "09AZaz__"}, {"xdigit", "09AFaf"},
    {"punct", "!/:@[`{~"}, {"blank", "\t\t  "}, {"print", " ~"},
};

static bool set_add_class(struct byte_set *set, const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++) {
        if (strlen(classes[i].name) != length || strncmp(classes[i].name, name, length) != 0)
            continue;
        for (const char *range = classes[i].ranges; *range; range += 2)
            set_add_range(set, range[0], range[1]);
        return true;
    }
    return false;
}

/* ---- emitting ---- */

static void fail(struct parser *parser, const char *message)
{
    if (!parser->message)
        parser->message = message;
}

static void insert(struct parser *parser, int at, struct instruction instruction)
{
    if (parser->length == PROGRAM_MAX) {
        fail(parser, "the pattern is too large");
        return;
    }
    memmove(&parser->program[at + 1], &parser->program[at],
            (size_t)(parser->length - at) * sizeof(instruction));
    parser->program[at] = instruction;
    parser->length++;
}

static void append(struct parser *parser, enum code code, int first, int second)
{
    insert(parser, parser->length, (struct instruction){code, first, second});
}

static void append_set(struct parser *parser, const struct byte_set *set)
{
    if (parser->set_count == SETS_MAX) {
        fail(parser, "the pattern is too large");
        return;
    }
    parser->sets[parser->set_count] = *set;
    append(parser, CODE_SET, parser->set_count++, 0);
}

static void append_copy(struct parser *parser, const struct instruction *piece, int length)
{
    for (int i = 0; i < length; i++)
        append(parser, piece[i].code, piece[i].first, piece[i].second);
}

/* ---- parsing ---- */

static void parse_alternatives(struct parser *parser);

/* What stands behind a backslash; parser->at is behind it afterwards. */
static void parse_escape(struct parser *parser, struct byte_set *set)
{
    static const char letters[] = "dDwWsS";
    static const char *const names[] = {"digit", "word", "space"};
    char letter = *parser->at;
    const char *known = letter ? strchr(letters, letter) : NULL;
    if (known) {
        const char *name = names[(known - letters) / 2];
        struct byte_set members = {0};
        set_add_class(&members, name, strlen(name));
        if ((known - letters) % 2)
            set_invert(&members);
        set_merge(set, &members);
    } else if (letter == 'n' || letter == 't') {
        set_add(set, letter == 'n' ? '\n' : '\t');
    } else if (!letter || (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
               (letter >= 'A' && letter <= 'Z')) {
        fail(parser, letter ? "no such escape" : "nothing behind the backslash");
        return;
    } else {
        set_add(set, (unsigned char)letter);
    }
    parser->at++;
}

/* "[:alpha:]" inside brackets; false when there is none. */
static bool parse_class_name(struct parser *parser, struct byte_set *set)
{
    const char *end = strstr(parser->at, ":]");
    if (strncmp(parser->at, "[:", 2) != 0 || !end)
        return false;
    if (!set_add_class(set, parser->at + 2, (size_t)(end - parser->at - 2)))
        fail(parser, "no such class of characters");
    parser->at = end + 2;
    return true;
}

static void parse_range(struct parser *parser, struct byte_set *set)
{
    unsigned char from = (unsigned char)*parser->at++, to = from;
    if (parser->at[0] == '-' && parser->at[1] && parser->at[1] != ']') {
        to = (unsigned char)parser->at[1];
        if (to < from || to == '\\')
            fail(parser, "the range is backwards");
        parser->at += 2;
    }
    set_add_range(set, from, to);
}

static void parse_brackets(struct parser *parser)
{
    const char *open = parser->at++;
    struct byte_set set = {0};
    bool inverted = *parser->at == '^';
    parser->at += inverted;
    const char *first = parser->at;
    while (!parser->message && *parser->at && (*parser->at != ']' || parser->at == first)) {
        if (parse_class_name(parser, &set))
            continue;
        if (*parser->at != '\\') {
            parse_range(parser, &set);
            continue;
        }
        parser->at++;
        parse_escape(parser, &set);
    }
    if (parser->message)
        return;
    if (!*parser->at) {
        parser->at = open;
        fail(parser, "the bracket is not closed");
        return;
    }
    parser->at++;
    if (inverted)
        set_invert(&set);
    append_set(parser, &set);
}

static void parse_group(struct parser *parser)
{
    const char *open = parser->at++;
    if (strncmp(parser->at, "?:", 2) == 0)
        parser->at += 2;
    if (++parser->depth > DEPTH_MAX)
        fail(parser, "too deeply nested");
    else
        parse_alternatives(parser);
    parser->depth--;
    if (parser->message)
        return;
    if (*parser->at == ')') {
        parser->at++;
        return;
    }
    parser->at = open;
    fail(parser, "the parenthesis is not closed");
}

static void parse_atom(struct parser *parser)
{
    struct byte_set set = {0};
    switch (*parser->at) {
    case '(':
        parse_group(parser);
        return;
    case '[':
        parse_brackets(parser);
        return;
    case '^':
    case '$':
        append(parser, *parser->at++ == '^' ? CODE_BEGIN : CODE_END, 0, 0);
        return;
    case '*':
    case '+':
    case '?':
        fail(parser, "nothing to repeat");
        return;
    case '.':
        set_invert(&set);
        parser->at++;
        break;
    case '\\':
        parser->at++;
        parse_escape(parser, &set);
        break;
    default:
        set_add(&set, (unsigned char)*parser->at++);
    }
    append_set(parser, &set);
}

static bool parse_number(const char **at, int *ret_number)
{
    const char *start = *at;
    int number = 0;
    for (; **at >= '0' && **at <= '9' && number <= REPEAT_MAX; ++*at)
        number = number * 10 + (**at - '0');
    *ret_number = number;
    return *at > start;
}

/* "{2}", "{2,}" or "{2,5}"; false: a brace that only is a brace. `ret_most` -1: no end. */
static bool parse_bounds(struct parser *parser, int *ret_least, int *ret_most)
{
    const char *at = parser->at;
    if (*at++ != '{' || !parse_number(&at, ret_least))
        return false;
    *ret_most = *ret_least;
    if (*at == ',') {
        at++;
        if (!parse_number(&at, ret_most))
            *ret_most = -1;
    }
    if (*at != '}')
        return false;
    if (*ret_least > REPEAT_MAX || *ret_most > REPEAT_MAX)
        fail(parser, "at most 255 repetitions");
    else if (*ret_most >= 0 && *ret_most < *ret_least)
        fail(parser, "the bounds are backwards");
    else
        parser->at = at + 1;
    return true;
}

/* The piece that begins at `start`, at least `least` times, at most `most` times (-1: no end). */
static void repeat(struct parser *parser, int start, int least, int most)
{
    struct instruction piece[PROGRAM_MAX];
    int length = parser->length - start;
    memcpy(piece, &parser->program[start], (size_t)length * sizeof(*piece));
    parser->length = start;
    for (int i = 0; i < least && !parser->message; i++)
        append_copy(parser, piece, length);
    for (int i = least; i < most && !parser->message; i++) {
        append(parser, CODE_SPLIT, 1, length + 1);
        append_copy(parser, piece, length);
    }
    if (most >= 0)
        return;
    append(parser, CODE_SPLIT, 1, length + 2);
    append_copy(parser, piece, length);
    append(parser, CODE_JUMP, -length - 1, 0);
}

static void parse_repeated(struct parser *parser)
{
    int start = parser->length, least = 0, most = 0;
    parse_atom(parser);
    while (!parser->message) {
        char sign = *parser->at;
        if (parse_bounds(parser, &least, &most)) {
            if (!parser->message)
                repeat(parser, start, least, most);
            continue;
        }
        if (!sign || !strchr("*+?", sign))
            return;
        parser->at++;
        repeat(parser, start, sign == '+', sign == '?' ? 1 : -1);
    }
}

static void parse_alternatives(struct parser *parser)
{
    int start = parser->length;
    while (!parser->message && *parser->at && !strchr("|)", *parser->at))
        parse_repeated(parser);
    if (parser->message || *parser->at != '|')
        return;
    parser->at++;
    insert(parser, start, (struct instruction){CODE_SPLIT, 1, parser->length - start + 2});
    int jump = parser->length;
    append(parser, CODE_JUMP, 0, 0);
    parse_alternatives(parser);
    if (!parser->message)
        parser->program[jump].first = parser->length - jump;
}

static int regexp_keep(const struct parser *parser, struct arena *arena,
                       const struct regexp **ret_regexp)
{
    struct regexp *regexp = arena_alloc(arena, sizeof(*regexp));
    if (!regexp)
        return -ERR_NO_MEMORY;
    size_t length = (size_t)parser->length, sets = (size_t)parser->set_count;
    regexp->program = arena_array(arena, length, sizeof(*regexp->program));
    regexp->sets = arena_array(arena, sets + 1, sizeof(*regexp->sets));
    if (!regexp->program || !regexp->sets)
        return -ERR_NO_MEMORY;
    memcpy(regexp->program, parser->program, length * sizeof(*regexp->program));
    memcpy(regexp->sets, parser->sets, sets * sizeof(*regexp->sets));
    *ret_regexp = regexp;
    return 0;
}

int regexp_parse(const char *pattern, struct arena *arena, const struct regexp **ret_regexp,
                 size_t *ret_offset, const char **ret_message)
{
    struct parser parser;
    parser.pattern = parser.at = pattern;
    parser.length = parser.set_count = parser.depth = 0;
    parser.message = NULL;
    parse_alternatives(&parser);
    if (!parser.message && *parser.at == ')')
        fail(&parser, "this parenthesis was not opened");
    append(&parser, CODE_MATCH, 0, 0);
    if (!parser.message)
        return regexp_keep(&parser, arena, ret_regexp);
    *ret_offset = (size_t)(parser.at - pattern);
    *ret_message = parser.message;
    return -ERR_INVALID;
}

/* ---- matching ---- */

struct threads {
    int at[PROGRAM_MAX]; /* instructions that wait for the next byte */
    int count;
};

struct machine {
    const struct regexp *regexp;
    bool begins, ends; /* of the text, here */
    int visited[PROGRAM_MAX];
    int step;
    bool matched;
};

/* Follows everything that needs no byte from `start` on. */
static void follow(struct machine *machine, struct threads *threads, int start)
{
    int stack[PROGRAM_MAX * 2 + 1], depth = 0;
    stack[depth++] = start;
    while (depth) {
        int at = stack[--depth];
        const struct instruction *now = &machine->regexp->program[at];
        if (machine->visited[at] == machine->step)
            continue;
        machine->visited[at] = machine->step;
        if (now->code == CODE_SET)
            threads->at[threads->count++] = at;
        else if (now->code == CODE_MATCH)
            machine->matched = true;
        else if (now->code == CODE_JUMP || now->code == CODE_SPLIT)
            stack[depth++] = at + now->first;
        else if (now->code == CODE_BEGIN ? machine->begins : machine->ends)
            stack[depth++] = at + 1;
        if (now->code == CODE_SPLIT)
            stack[depth++] = at + now->second;
    }
}

bool regexp_matches(const struct regexp *regexp, const char *text)
{
    struct threads lists[2];
    struct machine machine = {.regexp = regexp, .step = 1, .begins = true, .ends = !*text};
    lists[0].count = 0;
    for (const char *at = text;; at++) {
        struct threads *now = &lists[(at - text) % 2], *next = &lists[(at - text + 1) % 2];
        follow(&machine, now, 0); /* a match may begin here */
        if (machine.matched || !*at)
            return machine.matched;
        machine.step++;
        machine.begins = false;
        machine.ends = !at[1];
        next->count = 0;
        for (int i = 0; i < now->count; i++) {
            int set = regexp->program[now->at[i]].first;
            if (set_has(&regexp->sets[set], (unsigned char)*at))
                follow(&machine, next, now->at[i] + 1);
        }
        if (machine.matched)
            return true;
    }
}
