/* Configuration in layers: defaults < configuration file < environment < command line. One table
 * row an option; the same table checks, explains (--help) and shows the final values.
 *
 *   file          `name = value` lines, # comments; --config FILE, else
 *                 /etc/argosy/<program>.conf when there is one
 *   environment   ARGOSY_<NAME> in capitals, - as _
 *   command line  --name VALUE, --name=VALUE, -l VALUE; a switch needs no value
 *
 * A list is separated by commas; on the command line the option may also be repeated. A higher
 * layer replaces a list, it does not add to it. All errors are told at once, each with its place.
 * An unknown name is an error, but not in the environment: other programs and tasks have ARGOSY_…
 * too.
 */
#ifndef ARGOSY_ADAPTERS_OPTIONS_H
#define ARGOSY_ADAPTERS_OPTIONS_H

#include "platform/base/arena.h"
#include "platform/base/buf.h"
#include "schema/field.h"
#include "schema/problems.h"

enum option_kind {
    OPTION_TEXT,     /* const char *, NULL when there is no value */
    OPTION_INT,      /* int64_t */
    OPTION_SWITCH,   /* bool: yes, no, true, false, 1, 0 */
    OPTION_DURATION, /* int64_t, ms */
    OPTION_SIZE,     /* int64_t, bytes; UNSET when there is no value */
    OPTION_CPU,      /* int64_t, thousandths of a core; UNSET when there is no value */
    OPTION_WORD,     /* int: the value of one of `words`, 0 when there is no value */
    OPTION_LIST,     /* struct string_list */
    OPTION_MAP,      /* struct string_map of key=value entries */
};

struct option_row {
    const char *name; /* "data-dir" */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t offset;             /* in the settings */
    const char *fallback;      /* as text, NULL: no value */
    int64_t min, max;          /* INT, DURATION, SIZE, CPU; both 0: none */
    const struct words *words; /* WORD */
    bool secret;               /* shown as "***" */
    const char *argument;      /* "DIR", for --help */
    const char *help;
};

struct options {
    const char *program; /* "argosy-worker" */
    const char *summary;
    const struct option_row *rows;
    size_t count;
};

/* Fills `settings` (zeroed by the caller); its memory is the arena's. 0: go on. 1: --help or
 * --version was answered on stdout, the program ends with 0. -ERR_INVALID: see `problems`, whose
 * paths are the places ("--interval", "ARGOSY_INTERVAL", "/etc/argosy/argosy-worker.conf:3"); the
 * program ends with 2. */
int options_load(const struct options *options, int argc, char *const *argv,
                 const char *const *environment, void *settings, struct arena *arena,
                 struct problems *problems);

/* The final values, "name=value name=value …", without secrets and without what has no value. */
void options_describe(const struct options *options, const void *settings, struct buf *out);

/* Problems as lines "program: place: message (hint)" on stderr. */
void options_print_problems(const struct options *options, const struct problems *problems);

#endif
