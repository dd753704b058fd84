/* The table of options, and what follows from them. */
#include "manager/settings.h"

#include "manager/core/manager.h"
#include "platform/base/mem.h"
#include "schema/limits.h"
#include "schema/topics.h"

static const struct option_row rows[] = {
    PROGRAM_OPTION_ROWS("/var/lib/argosy/manager"),
    OPTION_ROW(0, "id", TEXT, id, NULL, "ID",
               "id of this manager (default: the store's, or a new one)"),
    OPTION_ROW('g', "grace", DURATION, grace_ms, "10s", "TIME",
               "a node is silent after three heartbeats that did not come, and this", .min = 1,
               .max = LIMIT_HEARTBEAT_MAX_MS),
    OPTION_ROW(0, "policy", WORD, policy, "binpack", "POLICY",
               "how jobs that say none are placed: binpack, spread, epvm, greedy, round_robin",
               .words = &placement_policy_words),
    OPTION_ROW(0, "preemption", WORD, preemption, "system", "WHO",
               "jobs that may take the room of a lower priority: system, all, none",
               .words = &preemption_words),
};

const struct options manager_program_options = {
    .program = "argosy-manager",
    .summary = "Accepts jobs, places their tasks on nodes, and watches over both.",
    .rows = rows,
    .count = ARRAY_LENGTH(rows),
};

void settings_derive(void *given, struct arena *arena, struct problems *problems)
{
    struct settings *settings = given;
    program_settings_derive(&settings->program, arena, problems);
    if (settings->id && !node_id_is_valid(settings->id))
        problems_add(problems, "--id", "small letters, digits and -, at most 63",
                     "%s cannot be an id", settings->id);
}
