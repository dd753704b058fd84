/* Plain YAML scalars to JSON by the YAML 1.2 core schema: null, true, false, numbers; all else is
 * text. (`no`, `on` and `8080:80` are text, which YAML 1.1 took for a boolean and a sexagesimal
 * number.) */
#ifndef ARGOSY_CLI_YAML_SCALAR_H
#define ARGOSY_CLI_YAML_SCALAR_H

#include "platform/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* With `text_wanted` numbers and booleans stay text as they are written; null stays null. */
void yaml_scalar_add_json(const char *text, size_t length, bool text_wanted, struct buf *out);

#endif
