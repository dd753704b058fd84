/* The store read at start: the meta record decides whether it is ours at all, then its documents
 * are heard as if they came from the bus. */
#include "worker/shell/shell_state.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <string.h>

struct meta_read {
    bool found;
    struct arena *arena;
    struct store_meta meta;
};

static int visit_meta(void *context, const char *key, const void *value, size_t length)
{
    (void)key;
    struct meta_read *read = context;
    _cleanup_problems_ struct problems problems = {0};
    read->found = true;
    return codec_decode(&store_meta_record, value, length, CODEC_LENIENT, read->arena, &read->meta,
                        &problems);
}

static int meta_check(const struct worker_shell *shell, const struct store_meta *meta,
                      struct err *err)
{
    if (meta->schema_version > STORE_SCHEMA_VERSION) {
        return err_set(err, ERR_SCHEMA_NEWER,
                       "the store was written by a newer argosy (format %lld, this one knows %d): "
                       "upgrade this worker, or give it another --data-dir",
                       (long long)meta->schema_version, STORE_SCHEMA_VERSION);
    }
    if (!meta->role || strcmp(meta->role, "worker") != 0) {
        return err_set(err, ERR_FOREIGN,
                       "the store belongs to a %s: give this worker a --data-dir of its own",
                       meta->role ? meta->role : "program that did not say its role");
    }
    if (!meta->id || strcmp(meta->id, shell->node) != 0) {
        return err_set(err, ERR_FOREIGN,
                       "the store belongs to node %s, this worker is %s: use --node %s, or another "
                       "--data-dir",
                       meta->id ? meta->id : "?", shell->node, meta->id ? meta->id : "?");
    }
    return 0;
}

int shell_load(struct worker_shell *shell, struct worker_config *core, struct err *err)
{
    struct store *store = shell->config.store;
    struct meta_read read = {.arena = &shell->arena};
    int result = store->ops->scan(store, STORE_META, visit_meta, &read, err);
    if (result == -ERR_INVALID) {
        return err_set(
            err, ERR_CORRUPT,
            "the store's meta record cannot be read: move the data directory away, and the "
            "worker recovers from the broker");
    }
    if (result || !read.found) {
        shell->empty_store = core->empty_store = !read.found;
        return result;
    }
    result = meta_check(shell, &read.meta, err);
    if (result) {
        return result;
    }
    core->cluster = read.meta.cluster;
    core->term = read.meta.term;
    core->seq = read.meta.seq;
    core->offline_ms = shell->offline_ms = read.meta.offline_ms;
    core->rebooted = read.meta.boot_id && shell->config.boot_id &&
                     strcmp(read.meta.boot_id, shell->config.boot_id) != 0;
    shell->session_number = read.meta.session;
    return 0;
}

/* ---- documents ---- */

static void load_assignment(struct worker_shell *shell, const char *job,
                            const struct bus_message *stored)
{
    struct held_assignment *held = mem_alloc(sizeof(*held));
    struct worker_event event = {
        .kind = WORKER_ASSIGNMENT, .job = job, .assignment = held, .from_store = true};
    if (shell_decode_assignment(shell, stored, held)) {
        shell_step(shell, &event);
    }
    held_assignment_free(event.assignment);
}

static void load_desired(struct worker_shell *shell, const struct bus_message *stored)
{
    struct held_desired *held = mem_alloc(sizeof(*held));
    struct worker_event event = {.kind = WORKER_DESIRED, .desired = held, .from_store = true};
    if (shell_decode(shell, stored, &node_desired_record, &held->arena, &held->value)) {
        shell_step(shell, &event);
    }
    held_desired_free(event.desired);
}

static void load_state(struct worker_shell *shell, const char *job,
                       const struct bus_message *stored)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct node_state state;
    struct worker_event event = {
        .kind = WORKER_OWN_STATE, .job = job, .state = &state, .from_store = true};
    if (shell_decode(shell, stored, &node_state_record, &arena, &state)) {
        shell_step(shell, &event);
    }
}

static int visit_document(void *context, const char *key, const void *value, size_t length)
{
    struct worker_shell *shell = context;
    struct bus_message stored = {.topic = key, .payload = value, .length = length};
    struct topic topic;
    if (!topic_parse(key, &topic)) {
        return 0;
    }
    if (topic.kind == TOPIC_NODE_ASSIGN) {
        load_assignment(shell, topic.level[1], &stored);
    } else if (topic.kind == TOPIC_NODE_DESIRED) {
        load_desired(shell, &stored);
    } else if (topic.kind == TOPIC_NODE_STATE) {
        load_state(shell, topic.level[1], &stored);
    }
    return 0;
}

int shell_load_documents(struct worker_shell *shell, struct err *err)
{
    struct store *store = shell->config.store;
    int result = store->ops->scan(store, STORE_DOCUMENTS, visit_document, shell, err);
    if (!result && shell->no_memory)
        return err_set(err, ERR_NO_MEMORY, "the store cannot be read: out of memory");
    return result;
}
