/* Regular expressions for constraints: the extended syntax that people know, matched in time
 * proportional to pattern and text, whatever both are. Not the C library's, which depends on the
 * locale and can be made to take all memory or time (docs/decisions.md).
 *
 *   .  [abc] [^a-z] [[:alpha:]]  ^  $  |  ( )  (?: )  *  +  ?  {2} {2,} {2,5}
 *   \d \D \w \W \s \S as Perl has them, \ before any other character that is no letter or digit
 *
 * A match may be anywhere in the text unless ^ and $ say otherwise. Bytes are characters. */
#ifndef ARGOSY_SCHEMA_REGEXP_H
#define ARGOSY_SCHEMA_REGEXP_H

#include "platform/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct regexp;

/* Memory from `arena`. -ERR_INVALID: `ret_offset` is the place in `pattern`, `ret_message` says
 * what is wrong there (a constant). -ERR_NO_MEMORY. */
int regexp_parse(const char *pattern, struct arena *arena, const struct regexp **ret_regexp,
                 size_t *ret_offset, const char **ret_message);

bool regexp_matches(const struct regexp *regexp, const char *text);

#endif
