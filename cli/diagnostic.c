#include "cli/diagnostic.h"

#include "cli/launches.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/limits.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct diagnostic {
    const struct job_file *file; /* NULL: the file could not be read */
    const char *name;
    struct place place;
    const char *path; /* JSON pointer or NULL */
    const char *message;
    const char *hint; /* or NULL */
};

struct tint {
    const char *bold, *error, *hint, *off;
};

static const struct tint *tint_of(bool color)
{
    static const struct tint plain = {"", "", "", ""};
    static const struct tint colors = {"\033[1m", "\033[1;31m", "\033[1;36m", "\033[0m"};
    return color ? &colors : &plain;
}

/* The line as it is, and below it the caret; a tab stays a tab, so that the caret stands right. */
static void add_source(const struct diagnostic *diagnostic, const struct tint *tint,
                       struct buf *out)
{
    size_t length = 0;
    const char *line =
        diagnostic->file ? job_file_line(diagnostic->file, diagnostic->place.line, &length) : NULL;
    if (!line)
        return;
    buf_printf(out, "%5d | %.*s\n      | ", diagnostic->place.line, (int)length, line);
    int column = 1;
    for (size_t i = 0; i < length && column < diagnostic->place.column; i++) {
        if (((unsigned char)line[i] & 0xc0) == 0x80)
            continue;
        buf_add_char(out, line[i] == '\t' ? '\t' : ' ');
        column++;
    }
    for (; column < diagnostic->place.column; column++)
        buf_add_char(out, ' ');
    buf_printf(out, "%s^", tint->error);
    for (int i = 1; i < diagnostic->place.width && i < 60; i++)
        buf_add_char(out, '~');
    buf_printf(out, "%s\n", tint->off);
}

static void add_text(const struct diagnostic *diagnostic, bool color, struct buf *out)
{
    const struct tint *tint = tint_of(color);
    buf_printf(out, "%s%s:", tint->bold, diagnostic->name);
    if (diagnostic->place.line)
        buf_printf(out, "%d:%d:", diagnostic->place.line, diagnostic->place.column);
    buf_printf(out, "%s %serror:%s %s\n", tint->off, tint->error, tint->off, diagnostic->message);
    add_source(diagnostic, tint, out);
    if (diagnostic->hint)
        buf_printf(out, "%shint:%s %s\n", tint->hint, tint->off, diagnostic->hint);
}

static void add_json_text(struct buf *out, const char *key, const char *value)
{
    if (!value)
        return;
    buf_printf(out, ",\"%s\":", key);
    json_add_string(out, value, strlen(value));
}

static void add_json(const struct diagnostic *diagnostic, struct buf *out)
{
    buf_add_text(out, out->length ? ",{\"file\":" : "{\"file\":");
    json_add_string(out, diagnostic->name, strlen(diagnostic->name));
    if (diagnostic->place.line)
        buf_printf(out, ",\"line\":%d,\"column\":%d", diagnostic->place.line,
                   diagnostic->place.column);
    add_json_text(out, "path", diagnostic->path);
    add_json_text(out, "message", diagnostic->message);
    add_json_text(out, "hint", diagnostic->hint);
    buf_add_char(out, '}');
}

static void report(struct job_set *set, const struct diagnostic *diagnostic, bool color)
{
    add_text(diagnostic, color, &set->text);
    add_json(diagnostic, &set->json);
    set->problem_count++;
}

/* A key that is wrong is marked itself; anything else is wrong in its value. */
static bool is_about_key(const char *path, const char *message)
{
    const char *slash = strrchr(path, '/');
    const char *key = slash ? slash + 1 : path;
    size_t length = strlen(key);
    bool quoted =
        message[0] == '"' && strncmp(message + 1, key, length) == 0 && message[length + 1] == '"';
    return *key && (quoted || strstr(message, "is not known here"));
}

/* YAML 1.1 habits. */
static const char *better_hint(const struct diagnostic *diagnostic)
{
    static const char *const words[] = {"yes", "no", "on", "off"};
    size_t length = 0;
    const char *line = job_file_line(diagnostic->file, diagnostic->place.line, &length);
    size_t start = (size_t)(diagnostic->place.column - 1);
    if (!line || !strstr(diagnostic->message, "true or false"))
        return diagnostic->hint;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (start + strlen(words[i]) <= length &&
            strncasecmp(line + start, words[i], strlen(words[i])) == 0)
            return "write true or false: yes, no, on and off are text in YAML 1.2";
    return diagnostic->hint;
}

static struct diagnostic diagnostic_of(const struct checked_job *job, const char *path,
                                       const char *message, const char *hint)
{
    struct diagnostic diagnostic = {
        .file = job->file,
        .name = job_file_name(job->file),
        .place = job_file_place(job->file, job->index, path, is_about_key(path, message)),
        .path = path,
        .message = message,
        .hint = hint,
    };
    diagnostic.hint = better_hint(&diagnostic);
    return diagnostic;
}

void job_set_report(struct job_set *set, const struct checked_job *job, const char *path,
                    const char *message, const char *hint, bool color)
{
    struct diagnostic diagnostic = diagnostic_of(job, path ? path : "", message, hint);
    report(set, &diagnostic, color);
}

static int compare_places(const void *left, const void *right)
{
    const struct place *a = &((const struct diagnostic *)left)->place;
    const struct place *b = &((const struct diagnostic *)right)->place;
    return a->line != b->line ? a->line - b->line : a->column - b->column;
}

/* In the order of the file, not of the schema. */
static void report_problems(struct job_set *set, const struct checked_job *job,
                            const struct problems *problems, bool color)
{
    struct diagnostic found[LIMIT_PROBLEMS];
    size_t count = problems->count < LIMIT_PROBLEMS ? problems->count : LIMIT_PROBLEMS;
    for (size_t i = 0; i < count; i++)
        found[i] = diagnostic_of(job, problems->items[i].path, problems->items[i].message,
                                 problems->items[i].hint);
    if (count)
        qsort(found, count, sizeof *found, compare_places);
    for (size_t i = 0; i < count; i++)
        report(set, &found[i], color);
    if (problems->dropped)
        job_set_report(set, job, "", "there are more errors", NULL, color);
}

/* What the command line itself sets cannot come from a file. */
static void check_envelope(const struct command_envelope *envelope, struct problems *problems)
{
    static const char hint[] = "leave it out: the command line sends its own";
    if (envelope->reply_to)
        problems_add(problems, "/reply_to", hint, "a job file has no reply topic");
    if (envelope->token)
        problems_add(problems, "/token", hint, "a job file has no token");
    if (envelope->expires_at_ms != UNSET)
        problems_add(problems, "/expires_at_ms", "leave it out", "a job file does not expire");
}

/* A machine without any time zones cannot tell: the manager will. */
static void check_zone(const struct job_spec *spec, struct problems *problems)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct timezone zone;
    struct err err;
    if (!spec->schedule || !spec->schedule->timezone ||
        !timezone_name_is_valid(spec->schedule->timezone))
        return;
    int result = launches_zone(spec->schedule, &arena, &zone, &err);
    if (result && result != -ERR_NOT_SUPPORTED)
        problems_add(problems, "/schedule/timezone", err.text, "there is no time zone %s",
                     spec->schedule->timezone);
}

static void check_document(struct job_set *set, const struct job_file *file, size_t index,
                           bool color)
{
    _cleanup_problems_ struct problems problems = {0};
    set->jobs = mem_resize(set->jobs, set->job_count + 1, sizeof *set->jobs);
    struct checked_job *job = &set->jobs[set->job_count++];
    *job = (struct checked_job){
        .file = file, .index = index, .arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES}};
    size_t length;
    const char *json = job_file_json(file, index, &length);
    if (codec_decode_set(json, length, NULL, &job->arena, &job->envelope, &job->spec, &problems) ==
        0)
        check_envelope(&job->envelope, &problems);
    check_zone(&job->spec, &problems);
    report_problems(set, job, &problems, color);
}

static void check_same_name(struct job_set *set, bool color)
{
    for (size_t i = 0; i < set->job_count; i++)
        for (size_t k = 0; k < i; k++)
            if (set->jobs[i].spec.name && set->jobs[k].spec.name &&
                strcmp(set->jobs[i].spec.name, set->jobs[k].spec.name) == 0) {
                job_set_report(set, &set->jobs[i], "/name", "another job here has this name",
                               "one would replace the other", color);
                break;
            }
}

static void read_one(struct job_set *set, const char *path, bool color)
{
    struct err err = {0};
    struct job_file *file = NULL;
    if (job_file_read(path, &file, &err) != 0) {
        struct diagnostic diagnostic = {.name = path, .message = err.text};
        report(set, &diagnostic, color);
        return;
    }
    set->files = mem_resize(set->files, set->file_count + 1, sizeof *set->files);
    set->files[set->file_count++] = file;
    for (size_t i = 0; i < job_file_count(file); i++)
        check_document(set, file, i, color);
    for (size_t i = 0; i < job_file_error_count(file); i++) {
        struct diagnostic diagnostic = {.file = file, .name = job_file_name(file)};
        diagnostic.message = job_file_error(file, i, &diagnostic.place);
        report(set, &diagnostic, color);
    }
    if (!job_file_count(file) && !job_file_error_count(file)) {
        struct diagnostic diagnostic = {.name = job_file_name(file),
                                        .message = "there is no job in it",
                                        .hint = "`argosy init` writes one to start from"};
        report(set, &diagnostic, color);
    }
}

void job_set_read(struct job_set *set, char *const *paths, int count, bool color)
{
    for (int i = 0; i < count; i++)
        read_one(set, paths[i], color);
    check_same_name(set, color);
}

void job_set_release(struct job_set *set)
{
    for (size_t i = 0; i < set->job_count; i++)
        arena_release(&set->jobs[i].arena);
    for (size_t i = 0; i < set->file_count; i++)
        job_file_free(set->files[i]);
    free(set->jobs);
    free(set->files);
    buf_release(&set->text);
    buf_release(&set->json);
    *set = (struct job_set){0};
}
