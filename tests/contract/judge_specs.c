/* Judges job specifications as a manager would: each line of standard input is a job's name, a tab
 * and the payload of its `set`; each line of output is "accepted", or "refused" with all problems
 * behind tabs. */
#include "schema/codec/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void judge(const char *name, const char *text, size_t length)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    struct command_envelope envelope;
    struct job_spec spec;
    if (!codec_decode_set(text, length, name, &arena, &envelope, &spec, &problems)) {
        puts("accepted");
        return;
    }
    printf("refused");
    for (size_t i = 0; i < problems.count; i++)
        printf("\t%s: %s", problems.items[i].path, problems.items[i].message);
    putchar('\n');
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) > 0) {
        char *tab = memchr(line, '\t', (size_t)length);
        if (!tab || line[length - 1] != '\n')
            return 2;
        *tab = '\0';
        judge(line, tab + 1, (size_t)(line + length - 1 - (tab + 1)));
    }
    free(line);
    return 0;
}
