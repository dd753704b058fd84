#include "worker/runtime/simulated_script.h"

#include "platform/base/mem.h"
#include "schema/quantity.h"

#include <stdlib.h>
#include <string.h>

enum { EXIT_KILLED = 137 };

struct words_left {
    const char **items;
    size_t count;
};

/* The next word, "" at the end. */
static const char *next_word(struct words_left *words)
{
    if (words->count == 0)
        return "";
    words->count--;
    return *words->items++;
}

static int64_t read_duration(struct words_left *words)
{
    int64_t ms = 0;
    const char *hint;
    return duration_parse(next_word(words), &ms, &hint) ? ms : 0;
}

static void read_exit(struct script *script, struct words_left *words)
{
    script->kind = SCRIPT_EXIT;
    script->exit_code = strtol(next_word(words), NULL, 10) & 0xFF;
}

static void read_oom(struct script *script, struct words_left *words)
{
    (void)words;
    script->kind = SCRIPT_OOM;
    script->exit_code = EXIT_KILLED;
}

static void read_fail_start(struct script *script, struct words_left *words)
{
    script->kind = SCRIPT_FAIL_START;
    script->reason = reason_from_string(next_word(words));
    if (script->reason == REASON_NONE)
        script->reason = REASON_START_FAILED;
}

static void read_unhealthy(struct script *script, struct words_left *words)
{
    (void)words;
    script->kind = SCRIPT_UNHEALTHY;
}

static void read_ignore_stop(struct script *script, struct words_left *words)
{
    (void)words;
    script->ignores_stop = true;
}

static void read_pull(struct script *script, struct words_left *words)
{
    script->pull_ms = read_duration(words);
}

static void read_after(struct script *script, struct words_left *words)
{
    script->after_ms = read_duration(words);
}

struct script simulated_script_read(const struct string_list *command)
{
    static const struct {
        const char *word;
        void (*read)(struct script *script, struct words_left *words);
    } rows[] = {
        {"exit", read_exit},           {"oom", read_oom},   {"fail-start", read_fail_start},
        {"unhealthy", read_unhealthy}, {"pull", read_pull}, {"ignore-stop", read_ignore_stop},
        {"after", read_after},
    };
    struct script script = {0};
    struct words_left words = {command->items, command->count};
    while (words.count > 0) {
        const char *word = next_word(&words);
        for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
            if (strcmp(rows[i].word, word) == 0)
                rows[i].read(&script, &words);
        }
    }
    return script;
}
