#include "platform/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const int syslog_priorities[] = {3, 4, 6, 7};

static const char *log_name = "argosy";
static enum log_level log_threshold = LOG_LEVEL_INFO;
static bool log_to_journal;

void log_init(const char *name, enum log_level level)
{
    log_name = name;
    log_threshold = level;
    log_to_journal = getenv("JOURNAL_STREAM") != NULL;
}

int log_level_from_string(const char *text)
{
    for (int i = 0; i <= LOG_LEVEL_DEBUG; i++)
        if (!strcmp(text, level_names[i]))
            return i;
    return -1;
}

static void log_print_time(char *text, size_t size)
{
    struct timeval now;
    struct tm parts;
    gettimeofday(&now, NULL);
    gmtime_r(&now.tv_sec, &parts);
    size_t used = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + used, size - used, ".%03dZ ", (int)(now.tv_usec / 1000));
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > log_threshold)
        return;
    char prefix[40], line[1024];
    if (log_to_journal)
        snprintf(prefix, sizeof prefix, "<%d>", syslog_priorities[level]);
    else
        log_print_time(prefix, sizeof prefix);
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (char *c = line; *c; c++) /* one record, one line, whatever a peer put in it */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    fprintf(stderr, "%s%s %s: %s\n", prefix, level_names[level], log_name, line);
}
