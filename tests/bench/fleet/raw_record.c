/* Everything that is said, as it arrives, until it is told to end: when who said what. */
#include "tests/bench/fleet/raw_verbs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { LOOK_MS = 100 }; /* for a signal that came between the look and the wait */

static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
    (void)number;
    told_to_end = 1;
}

/* What was retained before is not news. */
static void record_hears(void *context, struct raw *raw, const struct raw_message *message)
{
    (void)raw;
    double at = raw_seconds();
    if (message->retained)
        return;
    fwrite(&at, sizeof at, 1, context);
    raw_file_put(context, message);
}

int verb_record(char **words)
{
    FILE *file = fopen(words[2], "wb");
    struct raw raw = {.on_message = record_hears, .context = file};
    if (!file)
        raw_die(words[2]);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
    raw_connect(&raw, words[0], words[1], "recorder");
    char *rest = NULL;
    for (char *filter = strtok_r(words[3], ",", &rest); filter;
         filter = strtok_r(NULL, ",", &rest)) {
        raw_subscribe(&raw, filter, 1);
        raw_wait_granted(&raw, 1);
    }
    puts("ready");
    fflush(stdout);
    while (!told_to_end) {
        raw_read(&raw, LOOK_MS);
        raw_write(&raw);
    }
    return fclose(file);
}
