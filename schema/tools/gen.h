/* argosy-schema-gen writes everything that follows from the tables in schema/: JSON Schemas, the
 * list of topics, AsyncAPI, and the pages of docs/ that list keys and topics. */
#ifndef ARGOSY_SCHEMA_GEN_H
#define ARGOSY_SCHEMA_GEN_H

#include "platform/base/buf.h"
#include "schema/codec/codec.h"
#include "schema/topics.h"

/* A message with a schema of its own: json/<name>.schema.json. */
struct document {
    const char *name;
    const char *doc;
    const struct record *record; /* NULL: metrics, or the job as users write it */
    const struct metric_row *metric_rows;
    size_t metric_count;
    bool unsent; /* never a message: a part of others, or a file */
};

extern const struct document documents[];
extern const size_t document_count;

/* What may be sent to a topic: the names of its documents, NULL-ended. A command has several, by
 * verb. */
struct verb_row {
    const char *verb, *document;
};
extern const struct verb_row job_verbs[];
extern const size_t job_verb_count;
/* At most 4 names and a NULL; returns how many. */
size_t topic_documents(const struct topic_row *row, const char *ret_names[4]);

/* The same JSON with line breaks and indentation. */
void json_pretty(const struct buf *compact, struct buf *out);

void gen_topics_json(struct buf *out);
void gen_asyncapi(struct buf *out);
void gen_job_page(struct buf *out);
void gen_topics_page(struct buf *out);

#endif
