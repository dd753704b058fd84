#include "cli/format.h"

#include "platform/base/buf.h"
#include "platform/base/mem.h"

#include <inttypes.h>
#include <time.h>

int64_t format_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

char *format_age(struct arena *arena, int64_t then_ms, int64_t now_ms)
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    if (then_ms <= 0)
        return arena_strdup(arena, "-");
    int64_t age = now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0;
    size_t unit = 0;
    while (unit < 3 && age < units[unit].seconds)
        unit++;
    int64_t large = age / units[unit].seconds, rest = age % units[unit].seconds;
    int64_t small = unit < 3 ? rest / units[unit + 1].seconds : 0;
    if (!small)
        return arena_printf(arena, "%" PRId64 "%s", large, units[unit].unit);
    return arena_printf(arena, "%" PRId64 "%s%" PRId64 "%s", large, units[unit].unit, small,
                        units[unit + 1].unit);
}

static const char *text_of(struct arena *arena, const struct buf *buf)
{
    const char *text = arena_strdup(arena, buf_text(buf));
    ASSERT(text);
    return text;
}

const char *format_address(struct arena *arena, const char *node_address,
                           const struct observed_attempt *attempt)
{
    _cleanup_buf_ struct buf buf = BUF_EMPTY;
    for (size_t i = 0; i < attempt->ports.count; i++) {
        const struct bound_port *port = RECORD_AT(struct bound_port, attempt->ports, i);
        buf_printf(&buf, "%s%s:%" PRId64 "%s", i ? ", " : "", node_address ? node_address : "",
                   port->host, port->udp ? "/udp" : "");
    }
    return buf.length ? text_of(arena, &buf) : attempt->address;
}

const char *format_labels(struct arena *arena, const struct string_map *labels)
{
    _cleanup_buf_ struct buf buf = BUF_EMPTY;
    for (size_t i = 0; i < labels->count; i++)
        buf_printf(&buf, "%s%s=%s", i ? ", " : "", labels->items[i].key, labels->items[i].value);
    return buf.length ? text_of(arena, &buf) : "-";
}

const char *format_list(struct arena *arena, const struct string_list *list)
{
    _cleanup_buf_ struct buf buf = BUF_EMPTY;
    for (size_t i = 0; i < list->count; i++)
        buf_printf(&buf, "%s%s", i ? ", " : "", list->items[i]);
    return buf.length ? text_of(arena, &buf) : "-";
}

const char *format_counts(struct arena *arena, const struct state_counts *counts)
{
    const struct {
        int64_t count;
        const char *word;
    } parts[] = {
        {counts->running, "running"},     {counts->starting, "starting"},
        {counts->preparing, "preparing"}, {counts->scheduled, "scheduled"},
        {counts->pending, "pending"},     {counts->stopping, "stopping"},
        {counts->completed, "completed"}, {counts->failed, "failed"},
        {counts->stopped, "stopped"},     {counts->lost, "lost"},
        {counts->unknown, "unknown"},
    };
    _cleanup_buf_ struct buf buf = BUF_EMPTY;
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        if (parts[i].count > 0)
            buf_printf(&buf, "%s%" PRId64 " %s", buf.length ? ", " : "", parts[i].count,
                       parts[i].word);
    return buf.length ? text_of(arena, &buf) : "";
}

const char *job_state_word(int state)
{
    static const char *const words[] = {
        [JOB_PENDING] = "pending",     [JOB_RUNNING] = "running",   [JOB_DEGRADED] = "degraded",
        [JOB_COMPLETED] = "completed", [JOB_FAILED] = "failed",     [JOB_STOPPING] = "stopping",
        [JOB_STOPPED] = "stopped",     [JOB_DELETING] = "deleting", [JOB_PARENT] = "parent",
    };
    bool known = state >= JOB_PENDING && state <= JOB_PARENT;
    return known ? words[state] : "?";
}

const char *job_type_word(int type)
{
    const char *word = words_to_string(&job_type_words, type);
    return word ? word : "?";
}
