/* What the manager subscribes to, and in which order it hears it.
 *
 *   1  its own documents but assignments: few, and the nodes' indexes count what is to come
 *   2  assignments   at once, or, where they are more than READ_AT_ONCE, node by node
 *   3  the workers' documents, their states likewise: the picture is whole
 *
 * A broker drops what exceeds a subscriber's queue and tells nobody, and one subscription may be
 * answered with all that is retained. In pieces the filter of all nodes brings only what is said
 * from now on, and each node's own filter what is retained, once. */
#include "manager/shell/shell_state.h"

#include "platform/base/mem.h"
#include "platform/base/text.h"

static const char *const worker_filters[] = {"nodes/+/info", "nodes/+/status", "nodes/+/answers/+",
                                             "nodes/+/metrics", "nodes/+/state/+"};

enum { OWN_ASSIGNMENTS = 7, WORKERS_METRICS = 3, WORKERS_STATES = 4 };

void manager_shell_make_stages(struct manager_shell *shell)
{
    const char *const own[] = {shell->barrier_topic, shell->presence_topic, "manager/status",
                               "jobs/+/spec",        "jobs/+/history",      "jobs/+/status",
                               "nodes/+/desired",    "nodes/+/assign/+"};
    topic_format(shell->presence_topic, TOPIC_MANAGER_PRESENCE, shell->id, NULL);
    topic_format(shell->barrier_topic, TOPIC_MANAGER_BARRIER, shell->id, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(own); i++)
        shell->own_filters[i] = (struct bus_filter){.filter = own[i], .qos = 1};
    for (size_t i = 0; i < ARRAY_LENGTH(worker_filters); i++)
        shell->worker_filters[i] =
            (struct bus_filter){.filter = worker_filters[i], .qos = i != WORKERS_METRICS};
    struct session_stage *stages = shell->stages;
    stages[STAGE_DOCUMENTS - 1] = (struct session_stage){shell->own_filters, OWN_ASSIGNMENTS};
    stages[STAGE_ASSIGNMENTS - 1] = (struct session_stage){&shell->own_filters[OWN_ASSIGNMENTS], 1};
    stages[STAGE_WORKERS - 1] =
        (struct session_stage){shell->worker_filters, ARRAY_LENGTH(worker_filters)};
}

void manager_shell_size_stages(struct manager_shell *shell)
{
    shell->in_pieces = manager_assignment_count(shell->manager) > shell->config.read_at_once;
    shell->read_up_to[0] = '\0';
    enum bus_sent sent = shell->in_pieces ? BUS_SAID : BUS_ALL;
    shell->own_filters[OWN_ASSIGNMENTS].sent = shell->worker_filters[WORKERS_STATES].sent = sent;
}

size_t manager_shell_more(void *context, int stage, struct bus_filter *ret_filters)
{
    struct manager_shell *shell = context;
    char topic[LIMIT_TOPIC_LENGTH + 1];
    size_t count = 0;
    if (!shell->in_pieces || (stage != STAGE_ASSIGNMENTS && stage != STAGE_WORKERS))
        return 0;
    enum topic_kind kind = stage == STAGE_ASSIGNMENTS ? TOPIC_NODE_ASSIGN : TOPIC_NODE_STATE;
    const char *node = shell->read_up_to[0] ? shell->read_up_to : NULL;
    size_t documents = 0, more;
    arena_release(&shell->piece);
    while (count < BUS_FILTERS_MAX && documents < shell->config.read_at_once &&
           (node = manager_node_after(shell->manager, node, &more))) {
        text_copy(shell->read_up_to, sizeof(shell->read_up_to), node);
        topic_format(topic, kind, node, "+");
        ret_filters[count++] = (struct bus_filter){
            .filter = arena_strdup(&shell->piece, topic), .qos = 1, .sent = BUS_RETAINED};
        documents += more;
    }
    if (!count)
        shell->read_up_to[0] = '\0'; /* the next stage begins with the first */
    return count;
}
