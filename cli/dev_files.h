/* What `argosy dev` needs of the machine: a locked directory, a port, a broker's configuration, a
 * container engine. */
#ifndef ARGOSY_CLI_DEV_FILES_H
#define ARGOSY_CLI_DEV_FILES_H

#include "platform/base/err.h"

#include <stdbool.h>

enum { DEV_PATH_LENGTH = 480 };

struct dev_files {
    int lock; /* descriptor, -1: none */
    int port;
    char directory[DEV_PATH_LENGTH];
    char broker_config[DEV_PATH_LENGTH + 32];
    char manager_data[DEV_PATH_LENGTH + 32];
    char worker_data[DEV_PATH_LENGTH + 32];
    char engine[DEV_PATH_LENGTH]; /* socket of an engine that answers, "" when there is none */
};

/* `directory` NULL: below the user's data directory. `port` 0: 1883 when it is free, else a free
 * one. -ERR_BUSY: another `argosy dev` runs there, or the port is taken. */
int dev_files_open(struct dev_files *files, const char *directory, int port, struct err *err);
void dev_files_close(struct dev_files *files);

/* Whether something accepts connections on this port of loopback. */
bool dev_port_listens(int port);
/* The last lines of a log, on the standard error. */
void dev_files_print_tail(const char *path);

#endif
