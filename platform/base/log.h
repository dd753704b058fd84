/* Logging: one line a record on stderr, `level message key=value …`. Libraries and cores return
 * instead of logging; only shells, adapters and mains log. */
#ifndef ARGOSY_BASE_LOG_H
#define ARGOSY_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above `level` are dropped. With `name` (program or node), each line starts with it. The
 * string is kept, not copied. When JOURNAL_STREAM is set, syslog priorities "<3>" are written in
 * front and the time is left to the journal. */
void log_init(const char *name, enum log_level level);
/* "error" … "debug"; -1 when unknown. */
int log_level_from_string(const char *text);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
