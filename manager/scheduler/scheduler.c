/* Step three: pick, and explain when there is nothing to pick. */
#include "manager/scheduler/scheduler.h"

#include "schema/quantity.h"

#include <stdio.h>
#include <string.h>

/* How far off a node is: its largest shortage as a share of what is asked, in millionths. */
static int64_t distance(const struct capacity *lacks, const struct capacity *asked)
{
    const int64_t pairs[][2] = {{lacks->cpu_millis, asked->cpu_millis},
                                {lacks->memory_bytes, asked->memory_bytes},
                                {lacks->disk_bytes, asked->disk_bytes}};
    int64_t largest = 0;
    for (size_t i = 0; i < 3; i++) {
        if (!pairs[i][0])
            continue;
        int64_t share = (int64_t)((__int128)pairs[i][0] * 1000000 / pairs[i][1]);
        largest = share > largest ? share : largest;
    }
    return largest;
}

static bool is_resource(enum reason reason)
{
    return reason == REASON_CPU_EXHAUSTED || reason == REASON_MEMORY_EXHAUSTED ||
           reason == REASON_DISK_EXHAUSTED;
}

static void note_nearest(const struct scheduler_demand *demand, const struct scheduler_node *node,
                         struct scheduler_explanation *explanation)
{
    struct capacity lacks = scheduler_lacks(demand, node);
    int64_t now = distance(&lacks, &demand->needs);
    int64_t before = distance(&explanation->nearest_lacks, &demand->needs);
    if (explanation->nearest[0] &&
        (now > before || (now == before && strcmp(node->id, explanation->nearest) >= 0)))
        return;
    snprintf(explanation->nearest, sizeof(explanation->nearest), "%s", node->id);
    explanation->nearest_lacks = lacks;
}

static bool is_better(int64_t score, const struct scheduler_node *node, int64_t best_score,
                      const struct scheduler_node *best)
{
    if (!best || score != best_score)
        return !best || score > best_score;
    return strcmp(node->id, best->id) < 0;
}

const struct scheduler_node *scheduler_place(const struct scheduler_demand *demand,
                                             const struct scheduler_node *const *nodes,
                                             size_t count,
                                             struct scheduler_explanation *ret_explanation)
{
    const struct scheduler_node *best = NULL;
    int64_t best_score = 0;
    *ret_explanation = (struct scheduler_explanation){.nodes = (int64_t)count};
    for (size_t i = 0; i < count; i++) {
        enum reason reason = scheduler_exclude(demand, nodes[i]);
        if (reason) {
            ret_explanation->excluded[reason]++;
            if (is_resource(reason))
                note_nearest(demand, nodes[i], ret_explanation);
            continue;
        }
        int64_t score = scheduler_score(demand, nodes[i]);
        if (is_better(score, nodes[i], best_score, best)) {
            best = nodes[i];
            best_score = score;
        }
    }
    return best;
}

void scheduler_nearest_text(const struct scheduler_explanation *explanation, char *ret_text,
                            size_t size)
{
    char quantity[3][QUANTITY_TEXT_LENGTH];
    const struct capacity *lacks = &explanation->nearest_lacks;
    const char *word = " lacks ";
    ret_text[0] = '\0';
    if (!explanation->nearest[0])
        return;
    cpu_format(lacks->cpu_millis, quantity[0]);
    size_format(lacks->memory_bytes, quantity[1]);
    size_format(lacks->disk_bytes, quantity[2]);
    const int64_t amounts[] = {lacks->cpu_millis, lacks->memory_bytes, lacks->disk_bytes};
    const char *const names[] = {"cpu", "memory", "disk"};
    size_t length = (size_t)snprintf(ret_text, size, "%s", explanation->nearest);
    for (size_t i = 0; i < 3 && length < size; i++) {
        if (!amounts[i])
            continue;
        length += (size_t)snprintf(ret_text + length, size - length, "%s%s %s", word, quantity[i],
                                   names[i]);
        word = " and ";
    }
}
