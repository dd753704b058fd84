/* Quantities people write: sizes, durations, cores. Parsing gives a hint for what people usually
 * get wrong (a bare "m", a duration without a unit). Pure; no locale. */
#ifndef ARGOSY_SCHEMA_QUANTITY_H
#define ARGOSY_SCHEMA_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each returns true and sets the result, or returns false and points `ret_hint` to a constant text.
 */
bool size_parse(const char *text, int64_t *ret_bytes, const char **ret_hint);
bool duration_parse(const char *text, int64_t *ret_ms, const char **ret_hint);
bool cpu_parse(const char *text, int64_t *ret_millis, const char **ret_hint);
/* A number of cores as in JSON (0.25); false when it is not a whole number of thousandths. */
bool cpu_from_number(double cores, int64_t *ret_millis);

enum { QUANTITY_TEXT_LENGTH = 32 };
/* "10s", "1m30s", "500ms": duration_parse reads back exactly what this wrote. */
void duration_format(int64_t ms, char ret_text[QUANTITY_TEXT_LENGTH]);
/* For people: "12 MiB", "1.5 GiB". */
void size_format(int64_t bytes, char ret_text[QUANTITY_TEXT_LENGTH]);
/* For people: "0.25". */
void cpu_format(int64_t millis, char ret_text[QUANTITY_TEXT_LENGTH]);

#endif
