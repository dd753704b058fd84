/* The gate is a recursive descent over the grammar of RFC 8259, at most LIMIT_JSON_DEPTH deep,
 * which makes cJSON's nodes as it goes: cJSON's own parser would let through what must not pass,
 * and walk over everything a second time.
 *
 * Happy path: gate_read -> scan_document -> scan_value -> scan_object | scan_array | scan_string |
 * scan_number | scan_literal. Strings lie in the one copy of the text. The first fault ends the
 * scan: its text is kept and reported with line and column. */
#include "schema/codec/gate.h"

#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "schema/codec/scanner.h"
#include "schema/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NUMBER_MAX 9007199254740992.0 /* 2^53 */

static bool scan_value(struct scanner *scanner, cJSON *node);

bool scanner_fail(struct scanner *scanner, int code, const char *fault)
{
    if (!scanner->fault) {
        scanner->code = code;
        scanner->fault = fault;
    }
    return false;
}

bool scanner_invalid(struct scanner *scanner, const char *fault)
{
    return scanner_fail(scanner, ERR_INVALID, fault);
}

bool scanner_no_memory(struct scanner *scanner)
{
    return scanner_fail(scanner, ERR_NO_MEMORY, err_text(ERR_NO_MEMORY));
}

static void skip_space(struct scanner *scanner)
{
    while ((unsigned char)*scanner->at <= ' ' && *scanner->at && strchr(" \t\n\r", *scanner->at))
        scanner->at++;
}

/* ---- numbers, literals ---- */

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Digits behind *value; false when there is none. */
static bool scan_digits(struct scanner *scanner, double *value, int *ret_count)
{
    int count = 0; /* a payload's length fits */
    for (; is_digit(scanner_peek(scanner)); scanner->at++, count++)
        *value = *value * 10 + (*scanner->at - '0');
    *ret_count = count;
    return count > 0;
}

/* value * 10^exponent, or anything on the same side of the limit. */
static double scaled(double value, double exponent)
{
    for (; exponent > 0 && value > 0 && value < NUMBER_MAX; exponent--)
        value *= 10;
    for (; exponent < 0 && value >= 1; exponent++)
        value /= 10;
    return value;
}

static bool scan_exponent(struct scanner *scanner, double *ret_exponent)
{
    int count;
    double exponent = 0;
    if (!scanner_take(scanner, 'e') && !scanner_take(scanner, 'E'))
        return true;
    bool negative = scanner_take(scanner, '-');
    if (!negative)
        scanner_take(scanner, '+');
    if (!scan_digits(scanner, &exponent, &count))
        return scanner_invalid(scanner, "a number ends in its exponent");
    *ret_exponent = negative ? -exponent : exponent;
    return true;
}

/* Adds up the value only to compare it with the limit. */
static bool check_number(struct scanner *scanner)
{
    double value = 0, exponent = 0;
    int count, decimals = 0;
    scanner_take(scanner, '-');
    bool zero = scanner_peek(scanner) == '0';
    if (!scan_digits(scanner, &value, &count) || (zero && count > 1))
        return scanner_invalid(scanner, "not a number");
    if (scanner_take(scanner, '.') && !scan_digits(scanner, &value, &decimals))
        return scanner_invalid(scanner, "a number ends in its point");
    if (!scan_exponent(scanner, &exponent))
        return false;
    return scaled(value, exponent - decimals) < NUMBER_MAX ||
           scanner_invalid(scanner, "numbers must be below 2^53");
}

/* The value of any number is cJSON's. Some versions of it read 63 characters at most, which is no
 * lack of memory: who hears of that hears everything again. */
static bool scan_any_number(struct scanner *scanner, cJSON *node)
{
    const char *text = scanner->at, *read = text;
    if (!check_number(scanner))
        return false;
    cJSON *number = cJSON_ParseWithLengthOpts(text, (size_t)(scanner->at - text), &read, false);
    if (!number)
        return scanner_no_memory(scanner);
    node->valuedouble = number->valuedouble;
    cJSON_Delete(number);
    return read == scanner->at || scanner_invalid(scanner, "a number is too long");
}

/* At most *room digits behind *value; where they end. */
static char *take_digits(char *at, int64_t *value, int *room)
{
    for (; is_digit(*at) && *room; at++, --*room)
        *value = *value * 10 + (*at - '0');
    return at;
}

/* Up to 15 digits and perhaps a point, as nearly all have. Both parts of the quotient are exact, so
 * it is the double that is nearest to the text (Clinger, How to read floating point numbers
 * accurately, 1990). False, and nothing is taken, when it is another number, or none. */
static bool scan_short_number(struct scanner *scanner, cJSON *node)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6, 1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
    int64_t value = 0;
    int room = ARRAY_LENGTH(powers);
    bool negative = scanner_peek(scanner) == '-';
    char *whole = scanner->at + negative, *end = take_digits(whole, &value, &room), *decimals = end;
    if (end == whole || (*whole == '0' && end - whole > 1))
        return false;
    if (*end == '.') {
        decimals = end + 1;
        end = take_digits(decimals, &value, &room);
        if (end == decimals)
            return false;
    }
    if (is_digit(*end) || *end == 'e' || *end == 'E')
        return false;
    double number = (double)value / powers[end - decimals];
    node->valuedouble = negative ? -number : number;
    scanner->at = end;
    return true;
}

static bool scan_number(struct scanner *scanner, cJSON *node)
{
    node->type = cJSON_Number;
    return scan_short_number(scanner, node) || scan_any_number(scanner, node);
}

static bool scan_literal(struct scanner *scanner, cJSON *node)
{
    static const struct {
        const char *text;
        size_t length;
        int type;
    } literals[] = {{"true", 4, cJSON_True}, {"false", 5, cJSON_False}, {"null", 4, cJSON_NULL}};
    for (size_t i = 0; i < ARRAY_LENGTH(literals); i++) {
        if ((size_t)(scanner->end - scanner->at) < literals[i].length ||
            memcmp(scanner->at, literals[i].text, literals[i].length))
            continue;
        scanner->at += literals[i].length;
        node->type = literals[i].type;
        return true;
    }
    return scanner_invalid(scanner, scanner->at == scanner->end ? "the text ends too early"
                                                                : "expected a value");
}

/* ---- containers ---- */

static bool nodes_make(struct scanner *scanner)
{
    enum { NODES = 128 };
    scanner->nodes = arena_array(scanner->arena, NODES, sizeof *scanner->nodes);
    scanner->node_count = scanner->nodes ? NODES : 0;
    return scanner->nodes || scanner_no_memory(scanner);
}

/* A node behind the last child of `parent`; cJSON's lists know their last as the first's prev. */
static cJSON *node_add(struct scanner *scanner, cJSON *parent)
{
    if (!scanner->node_count && !nodes_make(scanner))
        return NULL;
    cJSON *node = scanner->nodes++, *first = parent->child;
    scanner->node_count--;
    *node = (cJSON){0};
    if (first) {
        node->prev = first->prev;
        node->prev->next = node;
        first->prev = node;
    } else {
        parent->child = node->prev = node;
    }
    return node;
}

static bool scan_member(struct scanner *scanner, cJSON *member)
{
    struct key key;
    skip_space(scanner);
    if (!scanner_take(scanner, '"'))
        return scanner_invalid(scanner, "expected a key in double quotes");
    if (!scan_string(scanner, &key) || !keys_push(scanner, key))
        return false;
    member->string = (char *)key.text;
    skip_space(scanner);
    return (scanner_take(scanner, ':') || scanner_invalid(scanner, "expected ':'")) &&
           scan_value(scanner, member);
}

/* Members of an object or items of an array, up to `close`. */
static bool scan_list(struct scanner *scanner, cJSON *list, char close,
                      bool (*scan_item)(struct scanner *, cJSON *))
{
    if (scanner->depth == LIMIT_JSON_DEPTH)
        return scanner_invalid(scanner, "nested too deeply");
    scanner->depth++;
    skip_space(scanner);
    if (!scanner_take(scanner, close)) {
        do {
            cJSON *item = node_add(scanner, list);
            if (!item || !scan_item(scanner, item))
                return false;
            skip_space(scanner);
        } while (scanner_take(scanner, ','));
        if (!scanner_take(scanner, close))
            return scanner_invalid(scanner,
                                   close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    }
    scanner->depth--;
    return true;
}

static bool scan_object(struct scanner *scanner, cJSON *object)
{
    size_t first = scanner->key_count;
    object->type = cJSON_Object;
    return scan_list(scanner, object, '}', scan_member) && keys_are_unique(scanner, first);
}

static bool scan_array(struct scanner *scanner, cJSON *array)
{
    array->type = cJSON_Array;
    return scan_list(scanner, array, ']', scan_value);
}

static bool scan_text(struct scanner *scanner, cJSON *node)
{
    struct key text;
    if (!scan_string(scanner, &text))
        return false;
    node->type = cJSON_String;
    node->valuestring = (char *)text.text;
    return true;
}

static bool scan_value(struct scanner *scanner, cJSON *node)
{
    skip_space(scanner);
    if (scanner_take(scanner, '"'))
        return scan_text(scanner, node);
    if (scanner_take(scanner, '{'))
        return scan_object(scanner, node);
    if (scanner_take(scanner, '['))
        return scan_array(scanner, node);
    if (scanner_peek(scanner) == '-' || is_digit(scanner_peek(scanner)))
        return scan_number(scanner, node);
    return scan_literal(scanner, node);
}

static bool scan_document(struct scanner *scanner, cJSON *root)
{
    skip_space(scanner);
    if (!scanner_take(scanner, '{'))
        return scanner_invalid(scanner, "expected an object: { … }");
    if (!scan_object(scanner, root))
        return false;
    skip_space(scanner);
    return scanner->at == scanner->end || scanner_invalid(scanner, "something follows the object");
}

/* ---- trees ---- */

/* What is wrong at the byte `at` of the text. */
static void report(const char *fault, const char *text, size_t at, struct problems *problems)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        column++;
        if (text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    problems_add(problems, "", NULL, "%s (line %zu, column %zu)", fault, line, column);
}

/* A copy of the text that ends with a NUL; NULL when there is no memory. */
static char *text_copy(const char *text, size_t length, struct tree *tree)
{
    if (length >= sizeof tree->text)
        return arena_strndup(&tree->arena, text, length);
    if (length)
        memcpy(tree->text, text, length);
    tree->text[length] = '\0';
    return tree->text;
}

static bool tree_grow(struct scanner *scanner, const char *text, size_t length, struct tree *tree)
{
    cJSON above = {0};
    scanner->arena = &tree->arena;
    scanner->nodes = tree->nodes;
    scanner->node_count = ARRAY_LENGTH(tree->nodes);
    scanner->at = text_copy(text, length, tree);
    if (!scanner->at)
        return scanner_no_memory(scanner);
    scanner->end = scanner->at + length;
    tree->root = node_add(scanner, &above);
    return tree->root && scan_document(scanner, tree->root);
}

static int read_tree(const char *text, size_t length, size_t limit, struct problems *problems,
                     struct tree *ret_tree)
{
    /* A node has a text of two characters at least, so that the arena's limit stops nothing; it
     * says that the memory may be refused. */
    enum { BYTES_A_CHARACTER = 128 };
    struct key keys[64];
    struct scanner scanner = {.keys = keys, .key_capacity = ARRAY_LENGTH(keys)};
    ret_tree->root = NULL;
    ret_tree->arena = (struct arena){.limit_bytes = (length + 1) * BYTES_A_CHARACTER};
    if (length > limit) {
        problems_add(problems, "", NULL, "larger than %zu KiB", limit / 1024);
        return -ERR_TOO_LARGE;
    }
    if (tree_grow(&scanner, text, length, ret_tree))
        return 0;
    if (scanner.code == ERR_NO_MEMORY)
        problems_add(problems, "", NULL, "%s", scanner.fault);
    else
        report(scanner.fault, text, length - (size_t)(scanner.end - scanner.at), problems);
    return -scanner.code;
}

int gate_read(const char *text, size_t length, struct problems *problems, struct tree *ret_tree)
{
    return read_tree(text, length, LIMIT_PAYLOAD_BYTES, problems, ret_tree);
}

int gate_read_file(const char *text, size_t length, struct problems *problems,
                   struct tree *ret_tree)
{
    return read_tree(text, length, LIMIT_FILE_BYTES, problems, ret_tree);
}

void tree_cleanup(struct tree *tree)
{
    arena_release(&tree->arena);
}
