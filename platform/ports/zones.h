/* Time zones as compiled files (TZif), by name: "Europe/Vienna". What is in them is
 * schema/timezone.h's. */
#ifndef ARGOSY_PORTS_ZONES_H
#define ARGOSY_PORTS_ZONES_H

#include "platform/base/arena.h"
#include "platform/base/err.h"

#include <stddef.h>

struct zones {
    /* The bytes of a zone's file, from `arena`. -ERR_NOT_FOUND: there is no such zone, and the
     * error says what may have been meant; -ERR_NOT_SUPPORTED: there are none at all here; -ERR_IO,
     * -ERR_NO_MEMORY. */
    int (*read)(struct zones *zones, const char *name, struct arena *arena, const void **ret_bytes,
                size_t *ret_length, struct err *err);
};

#endif
