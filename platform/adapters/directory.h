/* Directories that a program keeps its things in. */
#ifndef ARGOSY_ADAPTERS_DIRECTORY_H
#define ARGOSY_ADAPTERS_DIRECTORY_H

#include "platform/base/err.h"

/* Makes `path` (0700) and whatever of its parents is missing (0755). One that is there stays as it
 * is. -ERR_IO names the one that could not be made. */
int directory_make(const char *path, struct err *err);

#endif
