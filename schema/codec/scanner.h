/* The scanner of the gate, shared by gate.c (grammar), gate_string.c and gate_keys.c. Private to
 * the gate. */
#ifndef ARGOSY_SCHEMA_CODEC_SCANNER_H
#define ARGOSY_SCHEMA_CODEC_SCANNER_H

#include "platform/base/arena.h"
#include "platform/base/err.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct key {
    const char *text; /* without escapes; may hold no NUL */
    size_t length;
};

struct scanner {
    char *at, *end;      /* in a copy of the text, which ends with a NUL that is not counted */
    struct arena *arena; /* of what has no room in the tree itself */
    cJSON *nodes;        /* not used yet */
    size_t node_count;
    struct key *keys; /* of all open objects */
    size_t key_count, key_capacity;
    int depth;
    int code; /* enum err_code of the fault */
    const char *fault;
};

/* The first fault is kept. All return false. */
bool scanner_fail(struct scanner *scanner, int code, const char *fault);
bool scanner_invalid(struct scanner *scanner, const char *fault);
bool scanner_no_memory(struct scanner *scanner);

/* '\0' at the end. */
static inline char scanner_peek(const struct scanner *scanner)
{
    return *scanner->at;
}

/* `expected` is no NUL. */
static inline bool scanner_take(struct scanner *scanner, char expected)
{
    bool taken = *scanner->at == expected;
    scanner->at += taken;
    return taken;
}

/* At the character after the opening quote. The string ends with a NUL where its text was; it is
 * unescaped there, which never makes it longer. */
bool scan_string(struct scanner *scanner, struct key *ret_string);

bool keys_push(struct scanner *scanner, struct key key);
/* Pops the keys of one object, those from `first` on. */
bool keys_are_unique(struct scanner *scanner, size_t first);

#endif
