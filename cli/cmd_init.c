/* argosy init [FILE]: a job to start from. Every line of it is valid; `argosy validate` says so. */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char skeleton[] =
    "# A job: what is to run, how often, and what is done when it ends.\n"
    "# Check it with `argosy validate`, run it with `argosy run`, look at it with `argosy status "
    "web`.\n"
    "# Every key: docs/job-specification.md\n"
    "name: web\n"
    "type: service                  # service: runs until it is stopped; batch: runs until it is "
    "done\n"
    "# datacenters: [\"plant-*\"]      # globs; all by default\n"
    "\n"
    "tasks:\n"
    "  - name: server\n"
    "    count: 2                   # instances, each placed on its own\n"
    "    image: busybox:latest\n"
    "    command: [\"sh\", \"-c\", \"mkdir -p /www; echo $ARGOSY_TASK_ID > /www/index.html; exec "
    "httpd -f -p 80 -h /www\"]\n"
    "    # runtime: process         # without a container engine: the command runs on the node "
    "itself\n"
    "    env:\n"
    "      MODE: edge\n"
    "    ports: [\"80\"]              # a free port of the node; \"8080:80\" is always 8080\n"
    "    # volumes: [\"data:/var/lib/web\", \"/etc/ssl:/etc/ssl:ro\"]\n"
    "    resources:\n"
    "      cpu: 0.1                 # cores; 250m is 0.25\n"
    "      memory: 64MiB            # reserved, and the limit unless memory_max is given\n"
    "      # memory_max: 128MiB\n"
    "      # disk: 1GiB\n"
    "    restart:                   # on the same node\n"
    "      policy: always           # always, on-failure, never\n"
    "      attempts: 2              # restarts within the interval, then the instance has failed "
    "there\n"
    "      interval: 30m\n"
    "      delay: 15s\n"
    "    # health:\n"
    "    #   - {http: \"http://:80/\", interval: 10s, timeout: 2s, retries: 3, grace: 10s}\n"
    "    stop: {signal: SIGTERM, timeout: 10s}\n"
    "\n"
    "# update: {max_parallel: 1, min_healthy: 10s}         # a new version replaces instances "
    "one by one\n"
    "# reschedule: {delay: 30s, backoff: exponential, max_delay: 1h, unlimited: true}   # on "
    "another node\n"
    "# disconnect: {lost_after: 10m}                       # how long a silent node keeps its "
    "instances\n";

static int write_all(const struct cli *cli, int fd, const char *path)
{
    size_t done = 0, length = sizeof skeleton - 1;
    while (done < length) {
        ssize_t written = write(fd, skeleton + done, length - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return cli_fail(cli, CLI_FAILED, "%s cannot be written: %s", path, strerror(errno));
        done += (size_t)written;
    }
    return CLI_OK;
}

int cmd_init(struct cli *cli)
{
    const char *path = cli->operand_count ? cli->operands[0] : "job.yaml";
    int replace = cli_given(cli, OPT_FORCE) ? O_TRUNC : O_EXCL;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | replace, 0666);
    if (fd < 0 && errno == EEXIST)
        return cli_fail(cli, CLI_FAILED,
                        "%s is there already, it was not overwritten (--force does)", path);
    if (fd < 0)
        return cli_fail(cli, CLI_FAILED, "%s cannot be written: %s", path, strerror(errno));
    int code = write_all(cli, fd, path);
    if (close(fd) != 0 && code == CLI_OK)
        code = cli_fail(cli, CLI_FAILED, "%s cannot be written: %s", path, strerror(errno));
    if (code != CLI_OK)
        return code;
    if (cli->json)
        printf("{\"file\":\"%s\"}\n", path);
    else
        printf("%s written; now `argosy validate %s` and `argosy run %s`\n", path, path, path);
    return CLI_OK;
}
