/* Why instances wait for a place, for people. */
#ifndef ARGOSY_CLI_PENDING_H
#define ARGOSY_CLI_PENDING_H

#include "schema/documents.h"

#include <stdio.h>

/* Every group of pending instances: how many, why, which nodes were excluded by what, which comes
 * nearest. `status` NULL: nothing. */
void pending_print(FILE *out, const struct job_status *status);

#endif
