/* The store read at start: the meta record decides whether it is ours at all; then its documents
 * are heard as if they came from the bus, and the answers to tokens are remembered. */
#include "manager/shell/shell_state.h"

#include "platform/base/text.h"

#include "schema/codec/codec.h"

#include <string.h>

struct meta_read {
    bool found;
    struct arena *arena;
    struct store_meta meta;
};

static int visit_meta(void *context, const char *key, const void *value, size_t length)
{
    struct meta_read *read = context;
    _cleanup_problems_ struct problems problems = {0};
    (void)key;
    read->found = true;
    return codec_decode(&store_meta_record, value, length, CODEC_LENIENT, read->arena, &read->meta,
                        &problems);
}

static int meta_check(const struct manager_shell *shell, const struct store_meta *meta,
                      struct err *err)
{
    const char *wanted = shell->config.id;
    if (meta->schema_version > STORE_SCHEMA_VERSION)
        return err_set(err, ERR_SCHEMA_NEWER,
                       "the store was written by a newer argosy (format %lld, this one knows %d): "
                       "upgrade this manager, or give it another --data-dir",
                       (long long)meta->schema_version, STORE_SCHEMA_VERSION);
    if (!meta->role || strcmp(meta->role, "manager") != 0)
        return err_set(err, ERR_FOREIGN,
                       "the store belongs to a %s: give this manager a --data-dir of its own",
                       meta->role ? meta->role : "program that did not say its role");
    if (!meta->id || !node_id_is_valid(meta->id) || (wanted && strcmp(meta->id, wanted) != 0))
        return err_set(err, ERR_FOREIGN,
                       "the store belongs to manager %s, this one is %s: leave --id away, or give "
                       "another --data-dir",
                       meta->id ? meta->id : "?", wanted ? wanted : "?");
    return 0;
}

static void make_id(struct manager_shell *shell)
{
    if (shell->config.id)
        text_copy(shell->id, sizeof(shell->id), shell->config.id);
    else
        prng_base32(&shell->prng, shell->id, MANAGER_ID_LENGTH);
}

int manager_shell_load_meta(struct manager_shell *shell, struct manager_options *options,
                            struct arena *arena, struct err *err)
{
    struct store *store = shell->config.store;
    struct meta_read read = {.arena = arena};
    int result = store->ops->scan(store, STORE_META, visit_meta, &read, err);
    if (result == -ERR_INVALID)
        return err_set(err, ERR_CORRUPT,
                       "the store's meta record cannot be read: move the data directory away, and "
                       "the manager recovers from the broker and the workers");
    if (!result && read.found)
        result = meta_check(shell, &read.meta, err);
    if (result)
        return result;
    if (!read.found) {
        make_id(shell);
        shell->meta_dirty = true;
        return 0;
    }
    text_copy(shell->id, sizeof(shell->id), read.meta.id);
    options->cluster = read.meta.cluster;
    options->term = shell->term_stored = read.meta.term;
    options->seq = shell->seq_reserved = read.meta.seq;
    shell->session_number = read.meta.session;
    text_copy(shell->cluster_stored, sizeof(shell->cluster_stored), read.meta.cluster);
    return 0;
}

static int visit_document(void *context, const char *key, const void *value, size_t length)
{
    struct bus_message stored = {.topic = key, .payload = value, .length = length};
    return manager_shell_hear_stored(context, &stored);
}

static int visit_token(void *context, const char *key, const void *value, size_t length)
{
    token_load(context, key, value, length);
    return 0;
}

int manager_shell_load_documents(struct manager_shell *shell, struct err *err)
{
    struct store *store = shell->config.store;
    int result = store->ops->scan(store, STORE_DOCUMENTS, visit_document, shell, err);
    if (result == -ERR_NO_MEMORY)
        return err_set(err, ERR_NO_MEMORY, "the store cannot be read: out of memory");
    return result ? result : store->ops->scan(store, STORE_TOKENS, visit_token, shell, err);
}
