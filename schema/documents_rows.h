/* Rows that several documents share. Private to the files that define documents. */
#ifndef ARGOSY_SCHEMA_DOCUMENTS_ROWS_H
#define ARGOSY_SCHEMA_DOCUMENTS_ROWS_H

#include "schema/documents.h"
#include "schema/field_rows.h"
#include "schema/job_spec_text.h"
#include "schema/limits.h"
#include "schema/topics.h"

#define COUNT_BOUNDS .max = SAFE_INTEGER_MAX
#define LABEL_KEYS   .pattern = "^[A-Za-z0-9][A-Za-z0-9._/-]*$", .accepts = label_key_is_valid

/* Who wrote it, and its order: term, then manager, then seq. */
#define MANAGER_HEAD_ROWS(type)                                                                 \
    FIELD(type, STRING, "cluster", head.cluster, "Id of the cluster.", .flags = FIELD_REQUIRED, \
          .min = 1, .max = 64),                                                                 \
        FIELD(type, NODE_ID, "manager", head.manager, "The manager that wrote it.",             \
              .flags = FIELD_REQUIRED),                                                         \
        FIELD(type, INT, "term", head.term, "Leadership number; a larger one is newer.",        \
              .flags = FIELD_REQUIRED, COUNT_BOUNDS),                                           \
        FIELD(type, INT, "seq", head.seq, "Grows with every document of one manager.",          \
              .flags = FIELD_REQUIRED, COUNT_BOUNDS),                                           \
        FIELD(type, BOOL, "tombstone", head.tombstone,                                          \
              "Its subject is gone for good; the topic will be cleared.",                       \
              .flags = FIELD_OMIT_DEFAULT)

#define NODE_HEAD_ROWS(type)                                                                       \
    FIELD(type, STRING, "cluster", head.cluster, "Id of the cluster, once it is known.", .min = 1, \
          .max = 64),                                                                              \
        FIELD(type, INT, "term", head.term, "Highest term the worker has seen.",                   \
              .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),                                          \
        FIELD(type, INT, "seq", head.seq, "Grows with every document of the node.",                \
              .flags = FIELD_REQUIRED, COUNT_BOUNDS)

/* Reserved keys of every command. */
#define ENVELOPE_ROWS(type, prefix)                                                         \
    FIELD(type, TOKEN, "token", prefix token,                                               \
          "Chosen by the caller, repeated in the answer; one token is one command."),       \
        FIELD(type, STRING, "reply_to", prefix reply_to,                                    \
              "Topic for the answer, below <root>/replies/.", .min = 1,                     \
              .max = LIMIT_REPLY_TOPIC_LENGTH),                                             \
        FIELD(type, INT, "expect_version", prefix expect_version,                           \
              "Refused unless the job has this version (0: does not exist).", COUNT_BOUNDS, \
              .fallback = UNSET),                                                           \
        FIELD(type, TIME, "expires_at_ms", prefix expires_at_ms,                            \
              "Refused when it is handled later than this.", COUNT_BOUNDS, .fallback = UNSET)

extern const struct words attempt_state_words;
extern const struct words reason_words;
extern const struct words reply_result_words;

/* Records that are parts of several documents. */
extern const struct record versioned_spec_record;

#endif
