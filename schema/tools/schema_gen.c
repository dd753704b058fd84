/* argosy-schema-gen DIRECTORY: writes schema/json/, schema/asyncapi.yaml and docs/ below the
 * directory. */
#include "schema/tools/gen.h"

#include "platform/base/mem.h"
#include "schema/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DOCUMENT(record_)                             \
    {                                                 \
        .name = #record_, .record = &record_##_record \
    }

const struct document documents[] = {
    {.name = "job", .doc = "A job as users write it: the payload of set."},
    {.name = "job_spec", .record = &job_spec_record, .unsent = true},
    DOCUMENT(scale_arguments),
    DOCUMENT(dispatch_arguments),
    DOCUMENT(job_arguments),
    DOCUMENT(node_arguments),
    DOCUMENT(reply),
    DOCUMENT(ask),
    DOCUMENT(answer),
    DOCUMENT(job_document),
    DOCUMENT(job_history),
    DOCUMENT(job_status),
    DOCUMENT(node_desired),
    DOCUMENT(assignment),
    DOCUMENT(node_state),
    DOCUMENT(presence),
    DOCUMENT(node_info),
    {.name = "node_metrics",
     .doc = "The heartbeat of a node: flat numbers.",
     .metric_rows = node_metric_rows},
    {.name = "task_metrics",
     .doc =
         "Usage of one attempt: flat numbers. A node tells of 16 at a heartbeat, in turns; stats "
         "are always fresh.",
     .metric_rows = task_metric_rows},
    DOCUMENT(barrier),
    DOCUMENT(log_chunk),
    DOCUMENT(cloud_event),
    DOCUMENT(manager_status),
    {.name = "cluster_snapshot", .record = &cluster_snapshot_record, .unsent = true},
};
const size_t document_count = ARRAY_LENGTH(documents);

const struct verb_row job_verbs[] = {
    {"set", "job"},
    {"scale", "scale_arguments"},
    {"dispatch", "dispatch_arguments"},
    {"stop", "job_arguments"},
    {"delete", "job_arguments"},
    {"restart", "job_arguments"},
};
const size_t job_verb_count = ARRAY_LENGTH(job_verbs);

size_t topic_documents(const struct topic_row *row, const char *ret_names[4])
{
    if (strcmp(row->record, "command")) {
        ret_names[0] = row->record;
        return 1;
    }
    ret_names[0] = "job";
    ret_names[1] = "scale_arguments";
    ret_names[2] = "dispatch_arguments";
    ret_names[3] = "job_arguments";
    return 4;
}

/* ---- JSON ---- */

static void line_break(struct buf *out, int depth)
{
    buf_printf(out, "\n%*s", depth * 2, "");
}

/* Whether a quote at `at` is no part of a string's text. */
static bool is_quote(const char *text, size_t at)
{
    size_t escapes = 0;
    while (escapes < at && text[at - 1 - escapes] == '\\')
        escapes++;
    return text[at] == '"' && escapes % 2 == 0;
}

/* One character outside strings. */
static void punctuation_add(const char *at, int *depth, struct buf *out)
{
    bool is_empty = (at[0] == '{' && at[1] == '}') || (at[0] == '}' && at[-1] == '{');
    bool opens = *at == '{' || *at == '[', closes = *at == '}' || *at == ']';
    *depth += opens - closes;
    if (closes && !is_empty)
        line_break(out, *depth);
    buf_add_char(out, *at);
    if (*at == ',' || (opens && !is_empty))
        line_break(out, *depth);
    else if (*at == ':')
        buf_add_char(out, ' ');
}

void json_pretty(const struct buf *compact, struct buf *out)
{
    bool quoted = false;
    int depth = 0;
    for (size_t i = 0; i < compact->length; i++) {
        if (is_quote(compact->data, i))
            quoted = !quoted;
        if (quoted)
            buf_add_char(out, compact->data[i]);
        else
            punctuation_add(compact->data + i, &depth, out);
    }
    buf_add_char(out, '\n');
}

static void document_schema(const struct document *document, struct buf *out)
{
    size_t rows =
        document->metric_rows == node_metric_rows ? node_metric_row_count : task_metric_row_count;
    if (document->record)
        codec_json_schema(document->record, out);
    else if (document->metric_rows)
        codec_metrics_json_schema(document->name, document->doc, document->metric_rows, rows, out);
    else
        codec_job_json_schema(out);
}

/* ---- files ---- */

static void file_write(const char *directory, const char *path, const struct buf *text)
{
    _cleanup_free_ char *whole = mem_printf("%s/%s", directory, path);
    FILE *file = fopen(whole, "w");
    if (!file || text->failed || fwrite(text->data, 1, text->length, file) != text->length ||
        fclose(file)) {
        fprintf(stderr, "argosy-schema-gen: %s: %s\n", whole, strerror(errno));
        exit(1);
    }
}

static void directory_make(const char *directory, const char *path)
{
    _cleanup_free_ char *whole = mem_printf("%s/%s", directory, path);
    if (mkdir(whole, 0777) && errno != EEXIST) {
        fprintf(stderr, "argosy-schema-gen: %s: %s\n", whole, strerror(errno));
        exit(1);
    }
}

static void schema_write(const char *directory, const struct document *document)
{
    _cleanup_buf_ struct buf compact = BUF_EMPTY;
    _cleanup_buf_ struct buf pretty = BUF_EMPTY;
    _cleanup_free_ char *path = mem_printf("schema/json/%s.schema.json", document->name);
    document_schema(document, &compact);
    json_pretty(&compact, &pretty);
    file_write(directory, path, &pretty);
}

static void page_write(const char *directory, const char *path, void (*generate)(struct buf *out))
{
    _cleanup_buf_ struct buf page = BUF_EMPTY;
    generate(&page);
    file_write(directory, path, &page);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: argosy-schema-gen DIRECTORY\n");
        return 2;
    }
    directory_make(argv[1], "schema");
    directory_make(argv[1], "schema/json");
    directory_make(argv[1], "docs");
    for (size_t i = 0; i < document_count; i++)
        schema_write(argv[1], &documents[i]);
    page_write(argv[1], "schema/json/topics.json", gen_topics_json);
    page_write(argv[1], "schema/asyncapi.yaml", gen_asyncapi);
    page_write(argv[1], "docs/job-specification.md", gen_job_page);
    page_write(argv[1], "docs/topics.md", gen_topics_page);
    return 0;
}
