#include "cli/instances_print.h"

#include "cli/format.h"
#include "cli/table.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/reasons.h"

#include <inttypes.h>

static const char *state_tint(const struct instance *item)
{
    if (!item->node_online || item->seen.health == HEALTH_UNHEALTHY)
        return "yellow";
    if (item->state == ATTEMPT_RUNNING || item->state == ATTEMPT_COMPLETED)
        return "green";
    return item->state > ATTEMPT_COMPLETED && item->state != ATTEMPT_STOPPED ? "red" : "yellow";
}

/* What a silent node last said is not what is so now. */
static const char *state_cell(struct arena *arena, const struct instance *item)
{
    const char *state = attempt_state_to_string((enum attempt_state)item->state);
    if (!item->node_online && !attempt_state_is_final((enum attempt_state)item->state))
        return arena_printf(arena, "unknown (was %s)", state);
    if (item->seen.health == HEALTH_UNHEALTHY && item->state == ATTEMPT_RUNNING)
        return "running, unhealthy";
    if (item->desired == DESIRED_STOP && item->state == ATTEMPT_RUNNING)
        return "running, to stop";
    return state;
}

/* The reason, and what the worker adds; that usually tells the exit code, too. */
static const char *reason_cell(struct arena *arena, const struct instance *item)
{
    bool plain = item->seen.reason == REASON_EXITED && item->seen.message;
    const char *reason = item->reason && !plain ? reason_text(item->seen.reason) : "";
    const char *message = item->seen.message ? item->seen.message : "";
    const char *colon = *reason && *message ? ": " : "";
    if (item->seen.exit_code == UNSET || *message || item->state == ATTEMPT_RUNNING)
        return arena_printf(arena, "%s%s%s", reason, colon, message);
    return arena_printf(arena, "exit code %" PRId64 "%s%s", item->seen.exit_code,
                        *reason ? ", " : "", reason);
}

static const char *number_cell(struct arena *arena, int64_t number)
{
    return number == UNSET ? "-" : arena_printf(arena, "%" PRId64, number);
}

void instances_print(const struct cli *cli, const struct instances *instances)
{
    static const struct table_column columns[] = {
        {"INSTANCE", 0},           {"NODE", 0},          {"STATE", 0},   {"RUN", TABLE_RIGHT},
        {"RESTARTS", TABLE_RIGHT}, {"AGE", TABLE_RIGHT}, {"ADDRESS", 0}, {"TASK ID", 0},
        {"BECAUSE", TABLE_CUT},
    };
    struct arena arena = ARENA_EMPTY;
    _cleanup_table_ struct table *table = table_new(columns, ARRAY_LENGTH(columns), cli->color);
    int64_t now_ms = format_now_ms();
    for (size_t i = 0; i < instances->count; i++) {
        const struct instance *item = &instances->items[i];
        bool ended = attempt_state_is_final((enum attempt_state)item->state);
        int64_t since_ms = ended ? item->seen.finished_ms : item->seen.started_ms;
        const char *cells[] = {
            item->instance,
            item->node,
            state_cell(&arena, item),
            number_cell(&arena, item->seen.run),
            number_cell(&arena, item->seen.restarts),
            format_age(&arena, since_ms ? since_ms : item->seen.changed_ms, now_ms),
            item->address,
            item->id,
            reason_cell(&arena, item),
        };
        table_row(table, cells, 2, state_tint(item));
    }
    table_print(table);
    arena_release(&arena);
}

void instances_add_json(const struct instances *instances, struct buf *json)
{
    buf_add_text(json, "\"instances\":[");
    for (size_t i = 0; i < instances->count; i++) {
        buf_add_text(json, i ? "," : "");
        codec_encode(&instance_record, &instances->items[i], json);
    }
    buf_add_char(json, ']');
}
