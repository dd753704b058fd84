/* argosy dev: a cluster of one for a developer, on loopback, without root.
 *
 *   directory locked -> broker listens -> manager leads -> worker is online -> lines to go on with
 *     -> Ctrl-C -> jobs stopped -> worker, manager, broker stopped, each by its pid
 *
 * Failure modes: a program that is not installed, or that ends by itself at any time, is named
 * with its log, and all the others are stopped. Signals are blocked and asked for at every wait,
 * so nothing is left behind half started. */
#include "cli/child.h"
#include "cli/client.h"
#include "cli/dev_files.h"
#include "cli/progress.h"
#include "platform/base/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BROKER, MANAGER, WORKER, CHILDREN };
enum { START_TIMEOUT_MS = 20000, STOP_TIMEOUT_MS = 10000, JOBS_STOP_TIMEOUT_MS = 20000 };

#define DEV_NODE "dev"

struct dev {
    struct cli *cli;
    struct dev_files files;
    struct child children[CHILDREN];
    char broker[32]; /* 127.0.0.1:port */
    sigset_t signals;
    bool interrupted;
};

static bool is_interrupted(struct dev *dev, int64_t wait_ms)
{
    struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};
    if (!dev->interrupted && sigtimedwait(&dev->signals, NULL, &wait) > 0)
        dev->interrupted = true;
    return dev->interrupted;
}

/* The child that has ended by itself, or NULL. */
static struct child *ended_child(struct dev *dev)
{
    for (int i = 0; i < CHILDREN; i++)
        if (dev->children[i].name && child_has_ended(&dev->children[i]))
            return &dev->children[i];
    return NULL;
}

static int report_ended(struct dev *dev, const struct child *child)
{
    dev_files_print_tail(child->log);
    return cli_fail(dev->cli, CLI_FAILED, "%s has ended; the end of its log %s is above",
                    child->name, child->log);
}

/* ---- starting -------------------------------------------------------------------------------- */

static int start(struct dev *dev, int which, const char *program, const char *hint,
                 const char *const *arguments)
{
    char *argv[24];
    size_t count = 0;
    struct err err = {0};
    _cleanup_free_ char *path = child_find_program(program);
    if (!path)
        return cli_fail(dev->cli, CLI_FAILED, "%s is not there\nhint: %s", program, hint);
    argv[count++] = path;
    for (; *arguments && count < ARRAY_LENGTH(argv) - 1; arguments++)
        argv[count++] = (char *)*arguments;
    argv[count] = NULL;
    struct child *child = &dev->children[which];
    snprintf(child->log, sizeof child->log, "%s/%s.log", dev->files.directory, program);
    child->name = program;
    if (child_start(child, argv, &err) != 0) {
        child->name = NULL;
        return cli_fail(dev->cli, CLI_FAILED, "%s", err.text);
    }
    return CLI_OK;
}

static int start_broker(struct dev *dev)
{
    const char *const arguments[] = {"-c", dev->files.broker_config, NULL};
    int code = start(dev, BROKER, "mosquitto", "apt-get install mosquitto", arguments);
    for (int64_t waited_ms = 0; code == CLI_OK && !dev_port_listens(dev->files.port);
         waited_ms += 50) {
        if (ended_child(dev))
            return report_ended(dev, ended_child(dev));
        if (is_interrupted(dev, 50) || waited_ms > START_TIMEOUT_MS)
            return cli_fail(dev->cli, CLI_FAILED, "mosquitto does not listen on port %d",
                            dev->files.port);
    }
    return code;
}

static const char *root_of(const struct dev *dev)
{
    return dev->cli->value[OPT_ROOT] ? dev->cli->value[OPT_ROOT] : ARGOSY_ROOT_DEFAULT;
}

static const char build_hint[] = "build or install it beside argosy, or put it into PATH";

static int start_manager(struct dev *dev)
{
    const char *const arguments[] = {"--broker",   dev->broker,  "--root",
                                     root_of(dev), "--data-dir", dev->files.manager_data,
                                     NULL};
    return start(dev, MANAGER, "argosy-manager", build_hint, arguments);
}

static int start_worker(struct dev *dev)
{
    bool engine = dev->files.engine[0];
    const char *const arguments[] = {"--broker",
                                     dev->broker,
                                     "--root",
                                     root_of(dev),
                                     "--data-dir",
                                     dev->files.worker_data,
                                     "--node",
                                     DEV_NODE,
                                     "--datacenter",
                                     "dev",
                                     "--address",
                                     "127.0.0.1",
                                     "--bind",
                                     "127.0.0.1",
                                     "--interval",
                                     "2s",
                                     "--runtimes",
                                     engine ? "docker,process" : "process",
                                     engine ? "--engine" : NULL,
                                     dev->files.engine,
                                     NULL};
    return start(dev, WORKER, "argosy-worker", build_hint, arguments);
}

/* ---- waiting until it is up ------------------------------------------------------------------ */

struct awaited {
    struct dev *dev;
    struct client *client;
    struct progress *progress;
    const char *what;
    bool (*is_up)(const struct picture *picture);
};

static bool manager_leads(const struct picture *picture)
{
    const char *manager;
    return picture_leadership(picture, &manager) == LEADERSHIP_LEADING;
}

/* The manager has taken notice of it, too. */
static bool worker_is_online(const struct picture *picture)
{
    const struct presence_document *presence =
        picture_find(picture, TOPIC_NODE_STATUS, DEV_NODE, NULL);
    return presence && presence->state == PRESENCE_ONLINE &&
           picture_find(picture, TOPIC_NODE_DESIRED, DEV_NODE, NULL);
}

static bool is_settled(void *context)
{
    struct awaited *awaited = context;
    progress_show(awaited->progress, awaited->what);
    return awaited->is_up(client_picture(awaited->client)) || ended_child(awaited->dev) ||
           is_interrupted(awaited->dev, 0);
}

static int await(struct dev *dev, struct client *client, const char *what,
                 bool (*is_up)(const struct picture *picture))
{
    struct progress progress = progress_begin(dev->cli);
    struct awaited awaited = {dev, client, &progress, what, is_up};
    client_extend(client, START_TIMEOUT_MS);
    int waited = client_wait(client, is_settled, &awaited, 200);
    progress_end(&progress);
    if (ended_child(dev))
        return report_ended(dev, ended_child(dev));
    if (waited != CLI_OK)
        return cli_fail(dev->cli, CLI_TIMED_OUT, "waited in vain: %s (logs: %s)", what,
                        dev->files.directory);
    return CLI_OK;
}

static int bring_up(struct dev *dev)
{
    static const struct client_filter filters[] = {{TOPIC_NODE_STATUS, DEV_NODE, NULL},
                                                   {TOPIC_NODE_DESIRED, DEV_NODE, NULL}};
    _cleanup_client_ struct client *client = NULL;
    int code = start_broker(dev);
    if (code == CLI_OK)
        code = client_open(dev->cli, START_TIMEOUT_MS, &client);
    if (code == CLI_OK)
        code = client_hear(client, filters, ARRAY_LENGTH(filters));
    if (code == CLI_OK)
        code = start_manager(dev);
    if (code == CLI_OK)
        code = await(dev, client, "the manager leads", manager_leads);
    if (code == CLI_OK && !dev->interrupted)
        code = start_worker(dev);
    if (code == CLI_OK && !dev->interrupted)
        code = await(dev, client, "the worker is online", worker_is_online);
    return code;
}

/* ---- stopping -------------------------------------------------------------------------------- */

static bool all_jobs_rest(void *context)
{
    const struct picture *picture = client_picture(context);
    const struct picture_entry *entry = NULL;
    while ((entry = picture_next(picture, TOPIC_JOB_STATUS, entry))) {
        const struct job_status *status = entry->value;
        const struct state_counts *counts = &status->counts;
        if (counts->scheduled || counts->preparing || counts->starting || counts->running ||
            counts->stopping)
            return false;
    }
    return true;
}

static int stop_each(struct client *client, const struct picture *picture)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    const struct picture_entry *entry = NULL;
    const struct reply *reply;
    int code = CLI_OK;
    while (code == CLI_OK && (entry = picture_next(picture, TOPIC_JOB_SPEC, entry))) {
        const struct job_document *document = entry->value;
        if (document->stopped || document->deleting || document->head.tombstone)
            continue;
        /* the picture may change while the answer is waited for: the name is copied */
        char job[LIMIT_NAME_LENGTH + 1];
        snprintf(job, sizeof job, "%.*s", LIMIT_NAME_LENGTH, entry->topic.level[0]);
        topic_format(topic, TOPIC_DO_JOB, job, "stop");
        code = client_command(client, topic, "{}", UNSET, &reply);
        entry = NULL; /* from the start: those that were stopped say so now */
        if (code == CLI_OK && reply->result != REPLY_ACCEPTED)
            return CLI_REJECTED;
    }
    return code;
}

/* A worker leaves its tasks running when it ends; a developer wants none left. */
static void stop_jobs(struct dev *dev)
{
    static const struct client_filter filters[] = {{TOPIC_JOB_SPEC, "+", NULL},
                                                   {TOPIC_JOB_STATUS, "+", NULL}};
    _cleanup_client_ struct client *client = NULL;
    if (!dev->children[WORKER].pid || ended_child(dev) ||
        client_open(dev->cli, JOBS_STOP_TIMEOUT_MS, &client) != CLI_OK ||
        client_hear(client, filters, ARRAY_LENGTH(filters)) != CLI_OK)
        return;
    struct picture *picture = client_picture(client);
    if (stop_each(client, picture) != CLI_OK ||
        client_wait(client, all_jobs_rest, client, 500) != CLI_OK)
        cli_note("not all jobs have stopped; `argosy dev` takes them over again");
}

static void stop_all(struct dev *dev)
{
    for (int i = CHILDREN - 1; i >= 0; i--)
        child_stop(&dev->children[i], STOP_TIMEOUT_MS);
}

/* ---- the command ----------------------------------------------------------------------------- */

static void print_next(const struct dev *dev)
{
    bool engine = dev->files.engine[0];
    printf("broker on %s, manager leads, node %s is online (%s)\n", dev->broker, DEV_NODE,
           engine ? "docker, process" : "process only: no container engine answers");
    printf("data and logs: %s\n\nIn another terminal:\n", dev->files.directory);
    if (dev->files.port != 1883)
        printf("  export ARGOSY_BROKER=%s\n", dev->broker);
    puts("  echo 'name: hi\n"
         "  runtime: process\n"
         "  command: [sh, -c, \"while :; do date; sleep 2; done\"]' | argosy run -\n"
         "  argosy logs -f hi_hi_0\n"
         "  argosy status");
    printf("  mosquitto_sub -p %d -t '%s/#' -v\n\nCtrl-C stops everything, the jobs too.\n",
           dev->files.port, root_of(dev));
    fflush(stdout);
}

static int stay(struct dev *dev)
{
    if (!cli_given(dev->cli, OPT_ONCE))
        while (!is_interrupted(dev, 500))
            if (ended_child(dev))
                return report_ended(dev, ended_child(dev));
    return CLI_OK;
}

static void block_signals(struct dev *dev)
{
    sigemptyset(&dev->signals);
    sigaddset(&dev->signals, SIGINT);
    sigaddset(&dev->signals, SIGTERM);
    sigaddset(&dev->signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &dev->signals, NULL);
}

int cmd_dev(struct cli *cli)
{
    struct dev dev = {.cli = cli};
    struct err err = {0};
    if (dev_files_open(&dev.files, cli->value[OPT_DATA_DIR], (int)cli_number(cli, OPT_PORT, 0),
                       &err) != 0)
        return cli_fail(cli, CLI_FAILED, "%s", err.text);
    snprintf(dev.broker, sizeof dev.broker, "127.0.0.1:%d", dev.files.port);
    cli->value[OPT_BROKER] = dev.broker;
    block_signals(&dev);
    int code = bring_up(&dev);
    if (code == CLI_OK && !dev.interrupted) {
        print_next(&dev);
        code = stay(&dev);
    }
    if (!cli->json)
        fputs("\nstopping\n", stderr);
    stop_jobs(&dev);
    stop_all(&dev);
    dev_files_close(&dev.files);
    return code;
}
