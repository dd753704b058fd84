#include "cli/pending.h"

#include <inttypes.h>

static void print_group(FILE *out, const struct pending_group *group)
{
    fprintf(out, "  %" PRId64 " of task %s pending: %s\n", group->count,
            group->task ? group->task : "?", group->text ? group->text : group->reason);
    for (size_t i = 0; i < group->excluded.count; i++) {
        const struct exclusion *excluded = RECORD_AT(struct exclusion, group->excluded, i);
        fprintf(out, "    %" PRId64 " node%s: %s%s%s\n", excluded->nodes,
                excluded->nodes == 1 ? "" : "s", excluded->text ? excluded->text : excluded->reason,
                excluded->detail ? ": " : "", excluded->detail ? excluded->detail : "");
    }
    if (group->nearest)
        fprintf(out, "    nearest: %s\n", group->nearest);
}

void pending_print(FILE *out, const struct job_status *status)
{
    for (size_t i = 0; status && i < status->pending.count; i++)
        print_group(out, RECORD_AT(struct pending_group, status->pending, i));
}
