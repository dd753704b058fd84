/* The gate: what every text must pass to become a tree. */
#ifndef ARGOSY_SCHEMA_CODEC_GATE_H
#define ARGOSY_SCHEMA_CODEC_GATE_H

#include "platform/base/arena.h"
#include "schema/problems.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/* A JSON text as cJSON's nodes; nothing of it is deleted by itself. What has no room here lies in
 * the arena; nearly all messages have, and cost no allocation. */
struct tree {
    cJSON *root; /* an object */
    struct arena arena;
    char text[1024];
    cJSON nodes[64];
};

/* One pass over the text: size, grammar (RFC 8259), UTF-8, no NUL, depth, no key twice in an
 * object, numbers below 2^53, an object at the top and nothing behind it. One problem, with its
 * place, or none; then the tree is the one that cJSON would have made. Returns 0, -ERR_INVALID,
 * -ERR_TOO_LARGE, -ERR_NO_MEMORY. `ret_tree` is filled in, and to be cleaned up, whatever is
 * returned; it is not moved. */
int gate_read(const char *text, size_t length, struct problems *problems, struct tree *ret_tree);
/* The same for a file of a person's own, which may be larger than a message. */
int gate_read_file(const char *text, size_t length, struct problems *problems,
                   struct tree *ret_tree);

void tree_cleanup(struct tree *tree);
#define _cleanup_tree_ __attribute__((cleanup(tree_cleanup)))

#endif
