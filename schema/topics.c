/* Topics: parse and format walk the pattern of TOPIC_TABLE and the text level by level. */
#include "schema/topics.h"

#include "platform/base/mem.h"

#include <string.h>

static const struct topic_row rows[TOPIC_KIND_COUNT] = {
    [TOPIC_UNKNOWN] = {"UNKNOWN", "", 0, false, "", ""},
#define TOPIC_ROW(name, pattern, qos, retained, record, who) \
    [TOPIC_##name] = {#name, pattern, qos, retained, record, who},
    TOPIC_TABLE(TOPIC_ROW)
#undef TOPIC_ROW
};

static const size_t pattern_lengths[TOPIC_KIND_COUNT] = {
#define TOPIC_LENGTH(name, pattern, ...) [TOPIC_##name] = sizeof pattern - 1,
    TOPIC_TABLE(TOPIC_LENGTH)
#undef TOPIC_LENGTH
};

const struct topic_row *topic_row(enum topic_kind kind)
{
    return &rows[kind > TOPIC_UNKNOWN && kind < TOPIC_KIND_COUNT ? kind : TOPIC_UNKNOWN];
}

/* ---- alphabets ---- */

static bool is_lower_or_digit(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
}

static bool is_token_character(char character)
{
    return is_lower_or_digit(character) || (character >= 'A' && character <= 'Z') ||
           character == '_' || character == '-';
}

static bool id_is_valid(const char *text, size_t max_length)
{
    if (!text || !is_lower_or_digit(text[0]))
        return false;
    size_t length = 1;
    while (length <= max_length && (is_lower_or_digit(text[length]) || text[length] == '-'))
        length++;
    return !text[length] && length <= max_length;
}

bool name_is_valid(const char *text)
{
    return id_is_valid(text, LIMIT_NAME_LENGTH);
}

bool node_id_is_valid(const char *text)
{
    return id_is_valid(text, LIMIT_NODE_ID_LENGTH);
}

bool token_is_valid(const char *text)
{
    size_t length = 0;
    while (text && length <= LIMIT_TOKEN_LENGTH && is_token_character(text[length]))
        length++;
    return length && length <= LIMIT_TOKEN_LENGTH && !text[length];
}

static bool task_id_is_valid(const char *text)
{
    struct attempt_name name;
    return attempt_name_parse(text, &name);
}

/* Levels of [A-Za-z0-9_-]+ with single slashes between them; `ret_slashes` counts those. */
static bool levels_are_valid(const char *text, int *ret_slashes)
{
    int slashes = 0;
    for (const char *at = text; *at; at++) {
        if (*at == '/' && at != text && at[-1] != '/' && at[1])
            slashes++;
        else if (!is_token_character(*at))
            return false;
    }
    *ret_slashes = slashes;
    return text[0];
}

/* At most seven slashes in a whole topic (CONTRACT section 3); ours have four below the root. */
enum { SLASHES_MAX = 7, SLASHES_BELOW_ROOT_MAX = 4 };

bool root_is_valid(const char *text)
{
    int slashes;
    return text && strlen(text) <= LIMIT_ROOT_LENGTH && levels_are_valid(text, &slashes) &&
           slashes + 1 + SLASHES_BELOW_ROOT_MAX <= SLASHES_MAX;
}

const char *reply_topic_permitted(const char *root, const char *topic)
{
    size_t root_length = strlen(root);
    int slashes;
    if (!topic || strlen(topic) > LIMIT_REPLY_TOPIC_LENGTH || strncmp(topic, root, root_length) ||
        topic[root_length] != '/' || !levels_are_valid(topic, &slashes) || slashes > SLASHES_MAX)
        return NULL;
    const char *below = topic + root_length + 1;
    return strncmp(below, "replies/", strlen("replies/")) ? NULL : below;
}

/* ---- levels of a pattern ---- */

static const struct placeholder {
    const char *text;
    bool (*is_valid)(const char *level);
} placeholders[] = {
    {"<job>", name_is_valid},     {"<node>", node_id_is_valid}, {"<manager>", node_id_is_valid},
    {"<task>", task_id_is_valid}, {"<verb>", token_is_valid},   {"<token>", token_is_valid},
    {"<name>", token_is_valid},   {"<kind>", token_is_valid},
};

/* Every placeholder of TOPIC_TABLE is in the list. */
static const struct placeholder *placeholder_at(const char *pattern, size_t length)
{
    for (size_t i = 0;; i++) {
        ASSERT(i < ARRAY_LENGTH(placeholders));
        /* both end with a '>' */
        if (!strncmp(placeholders[i].text, pattern, length))
            return &placeholders[i];
    }
}

static size_t level_length(const char *text)
{
    const char *slash = strchr(text, '/');
    return slash ? (size_t)(slash - text) : strlen(text);
}

/* ---- parsing ---- */

/* A topic's levels: each ends a byte before the next begins, the last one at the end of the text.
 */
struct levels {
    const char *at[SLASHES_BELOW_ROOT_MAX + 1];
    size_t count;
    const char *end;
};

/* False when there are more than any pattern has. */
static bool levels_split(const char *text, struct levels *ret_levels)
{
    *ret_levels = (struct levels){.at = {text}, .count = 1};
    for (; *text; text++) {
        if (*text != '/')
            continue;
        if (ret_levels->count > SLASHES_BELOW_ROOT_MAX)
            return false;
        ret_levels->at[ret_levels->count++] = text + 1;
    }
    ret_levels->end = text;
    return true;
}

/* The literal levels agree, and there are as many. Goes backwards, since patterns differ near their
 * ends, and copies nothing. */
static bool shape_fits(const char *pattern, size_t length, const struct levels *levels)
{
    const char *at = pattern + length, *text = levels->end;
    size_t level = levels->count - 1;
    while (at > pattern) {
        if (at[-1] == '>') {
            while (*--at != '<')
                ;
            text = levels->at[level];
        } else {
            if (text == levels->at[0] || *--at != *--text)
                return false;
            level -= *at == '/';
        }
    }
    return text == levels->at[0];
}

/* Copies a level of the text into the topic when its placeholder permits it. */
static bool level_take(const char *pattern, size_t pattern_length, const char *text, size_t length,
                       char ret_level[LIMIT_TOKEN_LENGTH + 1])
{
    if (length > LIMIT_TOKEN_LENGTH)
        return false;
    memcpy(ret_level, text, length);
    ret_level[length] = '\0';
    return placeholder_at(pattern, pattern_length)->is_valid(ret_level);
}

/* The levels of a text whose shape fits. */
static bool levels_take(const char *pattern, const struct levels *levels, struct topic *topic)
{
    int taken = 0;
    for (size_t level = 0;; level++) {
        size_t pattern_length = level_length(pattern);
        bool last = level + 1 == levels->count;
        const char *text = levels->at[level], *end = last ? levels->end : levels->at[level + 1] - 1;
        if (pattern[0] == '<') {
            ASSERT(taken < 2);
            if (!level_take(pattern, pattern_length, text, (size_t)(end - text),
                            topic->level[taken++]))
                return false;
        }
        if (last)
            return true;
        pattern += pattern_length + 1;
    }
}

bool topic_parse(const char *text, struct topic *ret_topic)
{
    struct levels levels;
    bool split = levels_split(text, &levels);
    for (int kind = TOPIC_UNKNOWN + 1; split && kind < TOPIC_KIND_COUNT; kind++) {
        const char *pattern = rows[kind].pattern;
        if (pattern[0] != text[0] || !shape_fits(pattern, pattern_lengths[kind], &levels))
            continue;
        *ret_topic = (struct topic){.kind = (enum topic_kind)kind};
        if (levels_take(pattern, &levels, ret_topic))
            return true;
    }
    *ret_topic = (struct topic){.kind = TOPIC_UNKNOWN};
    return false;
}

/* The text of one level: literal, or the next of the caller's. */
static const char *level_of(const char *pattern, size_t length, const char *const levels[2],
                            int *taken)
{
    ASSERT(*taken < 2);
    const char *level = levels[(*taken)++];
    ASSERT(level && (!strcmp(level, "+") || placeholder_at(pattern, length)->is_valid(level)));
    return level;
}

void topic_format(char *ret_text, enum topic_kind kind, const char *first, const char *second)
{
    const char *const levels[2] = {first, second};
    const char *pattern = topic_row(kind)->pattern;
    int taken = 0;
    size_t used = 0;
    while (*pattern) {
        size_t length = level_length(pattern), slash = pattern[length] == '/';
        const char *level = *pattern == '<' ? level_of(pattern, length, levels, &taken) : pattern;
        size_t level_size = *pattern == '<' ? strlen(level) : length;
        memcpy(ret_text + used, level, level_size);
        used += level_size;
        if (slash)
            ret_text[used++] = '/';
        pattern += length + slash;
    }
    ret_text[used] = '\0';
}

/* ---- names of attempts ---- */

/* Splits at the next '_' (or the end) into a buffer of `size`; moves *text behind it. */
static bool part_take(const char **text, char *ret_part, size_t size)
{
    size_t length = 0;
    while (length < size && (*text)[length] && (*text)[length] != '_')
        length++;
    if (!length || length >= size)
        return false;
    memcpy(ret_part, *text, length);
    ret_part[length] = '\0';
    *text += length;
    if (**text == '_')
        ++*text;
    return true;
}

static bool index_parse(const char *text, int64_t *ret_index)
{
    int64_t index = 0;
    if (text[0] == '0' && text[1])
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        index = index * 10 + (*text - '0');
        if (index >= LIMIT_INSTANCES_PER_TASK)
            return false;
    }
    *ret_index = index;
    return true;
}

static bool suffix_is_valid(const char *text)
{
    size_t length = 0;
    while ((text[length] >= 'a' && text[length] <= 'z') ||
           (text[length] >= '2' && text[length] <= '7'))
        length++;
    return length == ATTEMPT_SUFFIX_LENGTH && !text[length];
}

bool attempt_name_parse(const char *id, struct attempt_name *ret_name)
{
    struct attempt_name name;
    char index[8];
    if (!id || !part_take(&id, name.job, sizeof name.job) ||
        !part_take(&id, name.task, sizeof name.task) || !part_take(&id, index, sizeof index) ||
        !part_take(&id, name.suffix, sizeof name.suffix) || *id || id[-1] == '_')
        return false;
    if (!name_is_valid(name.job) || !name_is_valid(name.task) || !index_parse(index, &name.index) ||
        !suffix_is_valid(name.suffix))
        return false;
    *ret_name = name;
    return true;
}

/* Each returns where the text ends; what is valid fits into LIMIT_TASK_ID_LENGTH. */
static char *put_text(char *to, const char *text)
{
    size_t length = strlen(text);
    memcpy(to, text, length + 1);
    return to + length;
}

static char *put_index(char *to, int64_t index)
{
    char digits[24];
    char *at = digits + sizeof digits - 1;
    *at = '\0';
    do
        *--at = (char)('0' + index % 10);
    while (index /= 10);
    return put_text(to, at);
}

static char *put_instance(char *to, const char *job, const char *task, int64_t index)
{
    ASSERT(index >= 0 && index <= LIMIT_INSTANCES_PER_TASK);
    to = put_text(put_text(to, job), "_");
    to = put_text(put_text(to, task), "_");
    return put_index(to, index);
}

void attempt_name_format(char *ret_id, const struct attempt_name *name)
{
    char *to = put_instance(ret_id, name->job, name->task, name->index);
    put_text(put_text(to, "_"), name->suffix);
}

void instance_name_format(char *ret_name, const char *job, const char *task, int64_t index)
{
    put_instance(ret_name, job, task, index);
}
