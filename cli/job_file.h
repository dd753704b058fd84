/* Job files: YAML or JSON text to the JSON that goes over the wire, and from a place in that JSON
 * back to the line and column a person wrote. libfyaml is seen only behind this header.
 *
 *   read -> parse (libfyaml; anchors and merge keys resolved) -> one JSON text a document
 *   a problem with a JSON pointer -> job_file_place() -> file:line:column
 *
 * Where the schema wants text, a plain YAML scalar is taken as it is written: `VERSION: 1.10`
 * stays "1.10", `MODE: on` stays "on", `- 8080:80` is no sexagesimal number and `command: [sleep,
 * 3600]` needs no quotes. JSON files get no such help: what is valid in a file is valid on the
 * wire.
 *
 * Failure modes: what is no YAML or JSON is a list of diagnostics (duplicate keys are errors too),
 * documents before the first syntax error are kept. */
#ifndef ARGOSY_CLI_JOB_FILE_H
#define ARGOSY_CLI_JOB_FILE_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { LIMIT_JOB_FILE_BYTES = 1024 * 1024 };

/* Line and column count from 1, the column in characters; `width` characters are marked. line 0:
 * no place. */
struct place {
    int line;
    int column;
    int width;
};

struct job_file;

/* Reads and parses `path`, "-" is the standard input. -ERR_IO, -ERR_TOO_LARGE; syntax errors are
 * no failure of this call. */
int job_file_read(const char *path, struct job_file **ret_file, struct err *err);
/* The same from memory; `name` is what diagnostics call it. Copies both. Never NULL. */
struct job_file *job_file_parse(const char *name, const char *text, size_t length);
void job_file_free(struct job_file *file);

const char *job_file_name(const struct job_file *file);
/* Number of jobs: documents that are not empty. */
size_t job_file_count(const struct job_file *file);
/* JSON of document `index`, terminated; belongs to the file. */
const char *job_file_json(const struct job_file *file, size_t index, size_t *ret_length);

/* Where the JSON pointer of document `index` stands: its value, or with `key` its key. A pointer
 * to what is missing stands at the nearest parent that is there. */
struct place job_file_place(const struct job_file *file, size_t index, const char *pointer,
                            bool key);

/* Syntax errors, in order of appearance. */
size_t job_file_error_count(const struct job_file *file);
const char *job_file_error(const struct job_file *file, size_t index, struct place *ret_place);

/* The source line (from 1) without its end; NULL when there is none. */
const char *job_file_line(const struct job_file *file, int line, size_t *ret_length);

#endif
