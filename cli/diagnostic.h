/* Problems of job files as compilers report them: file:line:column, the line, a caret, a hint. */
#ifndef ARGOSY_CLI_DIAGNOSTIC_H
#define ARGOSY_CLI_DIAGNOSTIC_H

#include "cli/job_file.h"
#include "platform/base/buf.h"
#include "schema/documents.h"
#include "schema/problems.h"

/* One job of a file, checked. */
struct checked_job {
    const struct job_file *file;
    size_t index; /* of the document */
    struct arena arena;
    struct command_envelope envelope;
    struct job_spec spec;
};

struct job_set {
    struct job_file **files;
    size_t file_count;
    struct checked_job *jobs;
    size_t job_count;
    size_t problem_count;
    struct buf text; /* all problems, for people */
    struct buf json; /* the same as items of a JSON array */
};

/* Reads and checks all files. Problems are collected in the set; CLI failure (a file that cannot
 * be read) is a problem too. `color` marks the words of `text`. */
void job_set_read(struct job_set *set, char *const *paths, int count, bool color);
void job_set_release(struct job_set *set);
#define _cleanup_job_set_ __attribute__((cleanup(job_set_release)))

/* Appends one problem of a job to set->text and set->json. */
void job_set_report(struct job_set *set, const struct checked_job *job, const char *path,
                    const char *message, const char *hint, bool color);

#endif
