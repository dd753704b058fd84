/* What nodes answer when they are asked. */
#include "cluster.h"

void cluster_answer(struct cluster *cluster, const char *node, const struct assignment *assignment,
                    int64_t part, int64_t parts)
{
    struct answer answer = {.token = cluster->asked[cluster->asked_count - 1],
                            .result = REPLY_ACCEPTED,
                            .part = part,
                            .parts = parts,
                            .assignment = assignment};
    cluster_step(cluster, &(struct manager_event){.kind = EVENT_ANSWER_ASSIGNMENT,
                                                  .node = node,
                                                  .live = true,
                                                  .answer = &answer});
}
