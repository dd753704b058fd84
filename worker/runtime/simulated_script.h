/* What a simulated task does, from its command. */
#ifndef ARGOSY_WORKER_RUNTIME_SIMULATED_SCRIPT_H
#define ARGOSY_WORKER_RUNTIME_SIMULATED_SCRIPT_H

#include "schema/field.h"
#include "schema/reasons.h"

#include <stdbool.h>
#include <stdint.h>

enum script_kind { SCRIPT_RUN, SCRIPT_EXIT, SCRIPT_OOM, SCRIPT_FAIL_START, SCRIPT_UNHEALTHY };

struct script {
    enum script_kind kind;
    int64_t pull_ms;  /* before it starts */
    int64_t after_ms; /* of running, before it does what it does */
    int64_t exit_code;
    enum reason reason; /* of a start that fails */
    bool ignores_stop;
};

struct script simulated_script_read(const struct string_list *command);

#endif
