/* What the files of the scheduler's cluster share. Private to manager/scheduler. */
#ifndef ARGOSY_MANAGER_SCHEDULER_CLUSTER_STATE_H
#define ARGOSY_MANAGER_SCHEDULER_CLUSTER_STATE_H

#include "manager/scheduler/cluster.h"
#include "manager/scheduler/fixed.h"
#include "manager/scheduler/ranking.h"
#include "platform/base/mem.h"
#include "platform/base/pool.h"

#include <uthash.h>

enum {
    CLASSES_KEPT = 32,
    FIRST_CLASSES_KEPT = 4,
    ASKED_KEPT = 64,
    PREDICATES_KEPT = 2000, /* then all go */
    CHANGES_KEPT = 8192,    /* a class that is further behind is scored anew */
};

/* ---- nodes ---- */

struct cluster_claim {
    void *owner;
    uint32_t node;  /* its number */
    uint32_t place; /* among those of its node */
};

enum { PRIORITY_LEAVING = 0 };
#define CLAIM_NUMBER_MAX (UINT64_MAX >> 8)

/* What a claim is for: side by side, since preemption reads them all. */
struct held {
    struct cluster_claim *claim;
    struct cluster_group *group;
    const struct cluster_demand *demand;
    uint64_t number : 56;  /* grows: which one is younger */
    uint64_t priority : 8; /* of its demand, or PRIORITY_LEAVING */
};

struct cluster_node {
    struct arena arena; /* of the facts */
    struct node_properties properties;
    struct capacity capacity, used;
    struct capacity load, claimed_since; /* of the last heartbeat, and since */
    bool load_known, devices_known, gone;
    enum reason barred;
    unsigned runtimes;
    int64_t attempts, max_attempts;
    int64_t dynamic_ports, dynamic_used;
    struct string_list devices;
    struct held *held; /* `attempts` of them */
    size_t held_capacity;
    size_t held_specials; /* with static ports or devices */
    uint32_t number;      /* from 1; another node's when this one is gone */
    uint32_t rank;        /* in the order of ids; valid while the cluster is settled */
};

/* What scoring reads of a node, together. By rank. */
struct node_fit {
    int64_t cpu_free, memory_free, disk_free; /* below 0: more is claimed than there is */
    int64_t cpu_power, memory_power;          /* 10^free */
    int32_t attempts_free;
    uint32_t size; /* index of its capacity among the sizes */
    bool barred;
};

/* Nodes of equal capacity are of one size. */
struct node_size {
    struct {
        int64_t cpu_millis, memory_bytes;
    } key;
    uint32_t index;
    UT_hash_handle hh;
};

/* A target's value on each node. */
struct column {
    UT_hash_handle hh; /* cluster->columns, by target */
    char *target;
    uint32_t *values;   /* by rank; 0: the node has none */
    const char **texts; /* of the values, from 1 on; the nodes' */
    size_t text_count;  /* with the one that is none */
};

/* For which nodes something is true, a bit a rank. */
struct predicate {
    UT_hash_handle hh; /* cluster->predicates, by text */
    char *text;
    uint64_t *words;
};

/* ---- counts ---- */

/* How many instances are on which node. Open addressing by the node's number. */
struct tally_entry {
    uint32_t number; /* 0: nobody's; whoever has it has the count, which is 0 when its node goes */
    uint32_t count;
};
struct tally {
    struct tally_entry *entries;
    size_t size, filled;
};

struct cluster_job {
    struct tally tally;
    int64_t total;
    int64_t group_count;          /* that were ever made */
    struct cluster_group *sharer; /* the only one so far; NULL: none */
};

struct cluster_group {
    struct cluster_job *job;
    struct tally own, *tally; /* the job's, of one that is a sharer; else its own */
};

int64_t tally_get(const struct tally *tally, const struct cluster_node *node);
void tally_add(struct tally *tally, const struct cluster_node *node, int64_t amount);

/* ---- grids.c: nodes of about one size, by how much of them is free ---- */

enum { GRIDS_MAX = 16, GRID_STEPS = 64 };
struct grid {
    uint32_t grade;                         /* of the size */
    struct capacity least, most;            /* of its nodes: cpu and memory */
    uint64_t filled[GRID_STEPS];            /* by free cpu: a bit for each step of free memory */
    uint32_t first[GRID_STEPS][GRID_STEPS]; /* by free cpu and memory: ranks, from 1; 0: none */
};
struct grid_place {
    uint32_t next, previous; /* of the same cell: ranks, from 1; 0: none */
    uint8_t grid, cpu, memory;
};
struct grids {
    struct grid *grids[GRIDS_MAX];
    size_t count;
    int64_t powers[GRID_STEPS]; /* 10^free of a node on that step, at least */
    struct grid_place places[]; /* by rank */
};

struct cluster;
/* While the cluster is settled. */
const struct grids *grids_obtain(struct cluster *cluster);
void grids_move(struct cluster *cluster, uint32_t rank);
void grids_drop(struct cluster *cluster);
/* The first step on which a node may be that has room for what is asked, of `total` at most. */
size_t grid_step_with_room(int64_t asked, int64_t total);

/* ---- the cluster ---- */

struct placement_class;
struct victim; /* preempt.c */

struct cluster {
    enum placement_policy policy;
    int64_t max_jobs;
    char cursor[LIMIT_NODE_ID_LENGTH + 1];

    struct cluster_node **nodes; /* the first `sorted` by id when settled; then what was added */
    size_t count, capacity, sorted;
    struct cluster_node **numbered; /* by number */
    uint32_t *vacant;               /* numbers below `numbers` that nobody has */
    uint32_t numbers, vacant_count, number_capacity;
    struct pool claims;
    bool settled;     /* ranks and everything that goes by them are valid */
    uint64_t picture; /* grows when ranks, properties or sizes change */
    struct node_fit *fits;
    size_t fits_capacity;
    struct node_size *sizes;
    struct grids *grids; /* NULL: nobody has asked */
    struct column *columns;
    struct predicate *predicates;

    uint32_t changes[CHANGES_KEPT]; /* ranks, a ring */
    uint64_t change_count;

    struct placement_class *classes; /* most recently used first */
    uint64_t asked[ASKED_KEPT];      /* hashes of keys that were asked for, a ring */
    size_t asked_count;
    uint64_t claim_number;
    struct cluster_claim **victims; /* of the last preemption */
    size_t victim_capacity;
    struct victim *scratch;
    size_t scratch_capacity;
};

/* cluster.c: ranks, fits and sizes are valid afterwards. */
void cluster_settle(struct cluster *cluster);
void cluster_note_change(struct cluster *cluster, struct cluster_node *node);

/* columns.c */
const struct column *cluster_column(struct cluster *cluster, const char *target);
size_t cluster_words(const struct cluster *cluster);
/* For which nodes it is true. Valid until the next call that asks for a predicate. */
const struct predicate *cluster_matching(struct cluster *cluster,
                                         const struct expression *expression);
/* How well the affinities of a demand are met, by which of them match: a table, since there are
 * few. */
enum { AFFINITIES_IN_TABLE = 8 };
struct affinities {
    const struct cluster_demand *demand;
    const uint64_t **words; /* of the predicates */
    int64_t weights;        /* without their signs */
    int64_t table[1 << AFFINITIES_IN_TABLE];
};
void affinities_init(struct cluster *cluster, const struct cluster_demand *demand,
                     struct affinities *ret_affinities);
void affinities_release(struct affinities *affinities);
/* The part of a score, in millionths. */
int64_t affinities_sum(const struct affinities *affinities, size_t rank);
static inline int64_t affinities_part(const struct affinities *affinities, size_t rank)
{
    size_t mask = 0;
    if (affinities->demand->affinity_count > AFFINITIES_IN_TABLE)
        return affinities_sum(affinities, rank);
    for (size_t i = 0; i < affinities->demand->affinity_count; i++)
        mask |= (affinities->words[i][rank / 64] >> (rank % 64) & 1) << i;
    return affinities->table[mask];
}
/* So many can be asked for without that an older one goes. */
void cluster_reserve_predicates(struct cluster *cluster, size_t count);
/* A bit for each candidate: what is true of a node whatever is claimed on it, but whether it is
 * barred. To be freed. */
uint64_t *cluster_candidates(struct cluster *cluster, const struct cluster_demand *demand);
void cluster_columns_release(struct cluster *cluster);

/* fit.c: one node by itself, without any index. */
enum placement_policy policy_of(const struct cluster *cluster, const struct cluster_demand *demand);
bool policy_is_load_based(enum placement_policy policy);
/* Of a policy that goes by loads: the lower the better. `cursor_rank`: of the first node behind the
 * cursor. */
int64_t policy_cost(const struct cluster *cluster, const struct cluster_demand *demand,
                    const struct cluster_node *node, size_t cursor_rank);
size_t cluster_cursor_rank(const struct cluster *cluster);
bool node_has_device(const struct cluster_node *node, const char *device);
bool demand_is_special(const struct cluster_demand *demand);
/* Whether what is held has a static port or device that the demand asks for. */
bool demands_conflict(const struct cluster_demand *held, const struct cluster_demand *demand);
/* Ports, devices and their like; `ret_detail` may be NULL. */
enum reason node_specials_exclude(const struct cluster_demand *demand,
                                  const struct cluster_node *node, const char **ret_detail);
struct capacity node_lacks(const struct cluster_demand *demand, const struct cluster_node *node);
/* What never depends on claims, but whether it is barred: the candidates of a class. */
enum reason node_properties_exclude(const struct cluster_demand *demand,
                                    const struct cluster_node *node, const char **ret_detail);
/* How many more instances of its job and task it may hold by what is there. */
enum reason node_others_exclude(const struct cluster_group *group,
                                const struct cluster_demand *demand,
                                const struct cluster_node *node);

/* ---- classes (class.c) ---- */

/* One attribute that spread or distinct_property count by. */
struct class_count {
    const struct column *column;
    bool of_job;
    int64_t *used;     /* by value: instances of the group, or the job, that the class is set to */
    int64_t *present;  /* by value: candidates that are not barred */
    int64_t *percents; /* by value: of a spread's targets, -1 none; NULL: evenly */
    int64_t least, most; /* used of the values that are present; class_measure() */
};

/* Candidates that have the same value of every such attribute. Two rankings, since scores in a
 * bucket are moved by the same spread, but by another share where anti-affinity is a part too. */
struct bucket {
    uint32_t first, count;      /* of its leaves */
    uint32_t *values;           /* one for each count */
    struct ranking rankings[2]; /* the second one, where others are, when it is needed */
    struct ranking preemption;
};
static inline bool bucket_has_others(const struct bucket *bucket)
{
    return bucket->rankings[1].depth;
}

/* The best so far; of equal ones the first in the order of ids. */
struct pick {
    int64_t score;
    uint32_t rank;
    bool found;
};
static inline void pick_offer(struct pick *pick, int64_t score, uint32_t rank)
{
    if (pick->found && (score < pick->score || (score == pick->score && rank > pick->rank)))
        return;
    *pick = (struct pick){score, rank, true};
}

struct size_factors {
    int64_t cpu, memory; /* what the powers are multiplied with */
};

struct placement_class {
    struct placement_class *next;
    char *key;
    uint64_t hash; /* of the key */
    bool again;    /* it was asked for before */
    struct arena arena;
    uint64_t picture, seen; /* of the cluster: what it was built from, changes it has seen */
    enum placement_policy policy;
    bool by_load;
    int64_t parts;     /* that apply to every node */
    int64_t scales[2]; /* by lane: of a mean of so many parts, and of one more */
    size_t count;      /* candidates, each a leaf: by bucket, then rank */
    uint32_t *ranks;
    uint32_t *bucket_of;
    uint32_t *leaf_of;            /* by rank, from 1; 0: no candidate */
    int64_t *affinity;            /* millionths */
    bool *open;                   /* is not barred */
    struct size_factors *factors; /* by size */
    size_t bucket_count;
    struct bucket *buckets;
    size_t count_count; /* spreads, then distincts */
    struct class_count *counts;
    /* set to one group at a time */
    struct cluster_group *group;         /* NULL: to none */
    const struct cluster_demand *demand; /* valid while a question is answered */
    int64_t wanted;                      /* the count of the demand that it is set to */
    bool preempts;                       /* the preemption rankings are there */
};

/* The demand's class, up to date and set to the group. */
struct placement_class *class_obtain(struct cluster *cluster, struct cluster_group *group,
                                     const struct cluster_demand *demand);
/* Whether its like was asked for lately, and notes that it is. */
bool cluster_asked_lately(struct cluster *cluster, const struct cluster_demand *demand);
/* A claim of the group came or went. */
void classes_count_claim(struct cluster *cluster, const struct cluster_group *group,
                         const struct cluster_node *node, int64_t amount);
void classes_forget_group(struct cluster *cluster, const struct cluster_group *group);
void classes_release(struct cluster *cluster);
/* Makes or brings up to date what preemption goes by. */
void class_build_preemption(struct cluster *cluster, struct placement_class *class);
/* Scores a leaf anew. */
void class_refresh_leaf(struct cluster *cluster, struct placement_class *class, size_t leaf);

/* class_build.c */
void class_build(struct cluster *cluster, struct placement_class *class,
                 const struct cluster_demand *demand);

/* What a spread with targets wants for a value. */
int64_t spread_percent(const struct cluster_spread *spread, const char *value);

/* class_score.c */
/* To be freed. Of the demand, by size of the nodes. */
struct size_factors *cluster_factors(const struct cluster *cluster,
                                     const struct cluster_demand *demand);
/* Counts what is used by value, for the group that the class is set to. */
void class_count_used(const struct cluster *cluster, struct placement_class *class);
/* Before bucket_spread: the least and the most of each spread. */
void class_measure(struct placement_class *class);
/* Whether each distinct_property leaves room. */
bool bucket_is_open(const struct placement_class *class, const struct bucket *bucket);
/* Millionths. */
int64_t bucket_spread(const struct placement_class *class, const struct bucket *bucket);

/* once.c: the best node for the only instance of a task, without a class. */
bool once_is_enough(struct cluster *cluster, const struct cluster_group *group,
                    const struct cluster_demand *demand);
struct pick pick_once(struct cluster *cluster, const struct cluster_demand *demand);

/* preempt.c: whether there would be room if all who may go were gone. */
bool preemption_might_do(const struct cluster_group *group, const struct cluster_demand *demand,
                         const struct cluster_node *node);
/* preempt.c: how good a node is to preempt on; RANKING_NONE: not at all. */
int64_t preemption_key(struct cluster *cluster, const struct placement_class *class, size_t leaf);

#endif
