/* Instances as a table and as JSON: for status, tasks and nodes. */
#ifndef ARGOSY_CLI_INSTANCES_PRINT_H
#define ARGOSY_CLI_INSTANCES_PRINT_H

#include "cli/command.h"
#include "cli/instances.h"
#include "platform/base/buf.h"

void instances_print(const struct cli *cli, const struct instances *instances);
/* "instances":[…] */
void instances_add_json(const struct instances *instances, struct buf *json);

#endif
