#include "cluster.h"

#include "platform/base/mem.h"

#include <stdlib.h>

struct cluster *c;

int cluster_setup(void **state)
{
    (void)state;
    c = mem_alloc(sizeof(*c));
    cluster_init(c);
    return 0;
}

int cluster_setup_with_n1(void **state)
{
    cluster_setup(state);
    cluster_add_node(c, "n1");
    return 0;
}

int cluster_teardown(void **state)
{
    (void)state;
    cluster_release(c);
    free(c);
    return 0;
}

void cluster_init(struct cluster *cluster)
{
    cluster_init_preempting(cluster, PREEMPTION_BY_SYSTEM_JOBS);
}

void cluster_renew(struct cluster *cluster, size_t limit)
{
    cluster_step(cluster, &(struct manager_event){.kind = EVENT_RENEW, .renew_limit = limit});
}

void cluster_renew_all(struct cluster *cluster)
{
    while (manager_is_renewing(cluster->manager))
        cluster_renew(cluster, 1);
}
