/* Checks of the small texts inside a job specification, each the same as the pattern beside it in
 * schema/job_spec_fields.c (tests/contract compares the two). Private to schema/. */
#ifndef ARGOSY_SCHEMA_JOB_SPEC_TEXT_H
#define ARGOSY_SCHEMA_JOB_SPEC_TEXT_H

#include <stdbool.h>

bool port_text_is_valid(const char *text);
bool volume_text_is_valid(const char *text);
bool device_text_is_valid(const char *text);
bool health_http_is_valid(const char *text);
bool health_tcp_is_valid(const char *text);
bool signal_text_is_valid(const char *text);
bool image_is_valid(const char *text);
bool datacenter_glob_is_valid(const char *text);
bool env_name_is_valid(const char *text);
bool label_key_is_valid(const char *text);
bool user_is_valid(const char *text);
bool absolute_path_is_valid(const char *text);

/* "SIGTERM" for "TERM", "15" and "SIGTERM"; NULL when unknown. */
const char *signal_name(const char *text);

#endif
