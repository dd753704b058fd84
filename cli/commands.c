#include "cli/command.h"

#include <string.h>

const struct option_row option_rows[OPT_COUNT] = {
#define OPTION_ROW(id, letter, name, argument, kind, environment, text) \
    [OPT_##id] = {letter, name, argument, OPTION_##kind, environment, text},
    OPTION_TABLE(OPTION_ROW)
#undef OPTION_ROW
};

#define WATCHING OPTION_BIT(DETACH)

const struct command commands[] = {
    {"run", "FILE…", 1, -1, WATCHING | OPTION_BIT(EXPECT_VERSION),
     "submit jobs and watch them until they run",
     "FILE is YAML or JSON, `-` the standard input; a YAML file may hold several jobs. All files "
     "are checked before anything is sent. Then each job is submitted and watched: a service "
     "until all its instances run, a batch job until it has ended. The same job sent twice is "
     "one job: nothing restarts.\n"
     "Exit code 0 says that it was seen running for a second (or completed), 1 that it failed, 6 "
     "that the "
     "manager has accepted it but no node can take it: it stays pending and is placed when a "
     "node can.",
     cmd_run},
    {"validate", "FILE…", 1, -1, OPTION_BIT(NEXT) | OPTION_BIT(FROM),
     "check job files without a broker",
     "Reports everything that is wrong, with file, line and column. With --next N: when jobs with "
     "a schedule would be launched.",
     cmd_validate},
    {"status", "[JOB]", 0, 1, OPTION_BIT(ALL), "jobs, or one job with its instances",
     "With JOB: its tasks, its instances with node, state, restarts, ports and reasons, and for "
     "what is pending: why, and which node comes nearest. Failed, stopped and lost attempts that "
     "were replaced are shown with --all.",
     cmd_status},
    {"nodes", "[NODE]", 0, 1, 0, "nodes, or one node with what runs on it", NULL, cmd_nodes},
    {"tasks", "", 0, 0, OPTION_BIT(JOB) | OPTION_BIT(NODE) | OPTION_BIT(ALL),
     "instances of all jobs on all nodes", NULL, cmd_tasks},
    {"stop", "JOB", 1, 1, WATCHING, "stop a job and keep it",
     "Submitting the job again starts it again.", cmd_stop},
    {"delete", "JOB", 1, 1, WATCHING, "stop a job and forget it", NULL, cmd_delete},
    {"scale", "JOB [TASK] N", 2, 3, WATCHING, "change how many instances a task has",
     "TASK may be left out when the job has only one.", cmd_scale},
    {"restart", "JOB", 1, 1, WATCHING, "restart a job's running instances where they are",
     "These restarts do not count against the restart policy.", cmd_restart},
    {"dispatch", "JOB [KEY=VALUE…] [FILE]", 1, 1000, 0, "run a job with parameters: make a child",
     "KEY=VALUE are the parameters of its meta, FILE (- is the standard input) the payload. Prints "
     "the child's name; it is a job like any other.",
     cmd_dispatch},
    {"logs", "INSTANCE|TASK-ID", 1, 1,
     OPTION_BIT(FOLLOW) | OPTION_BIT(LINES) | OPTION_BIT(STDOUT) | OPTION_BIT(STDERR),
     "print what a task has written",
     "INSTANCE is job_task_index, such as web_web_0, and means its newest attempt; TASK-ID, with "
     "the random suffix, names one attempt, also one that has failed, as long as its node keeps "
     "it.",
     cmd_logs},
    {"inspect", "INSTANCE|TASK-ID", 1, 1, 0, "everything the worker knows of one task",
     "Asks the worker, so it shows what is, not what was last reported.", cmd_inspect},
    {"plan", "FILE…", 1, -1, OPTION_BIT(CLUSTER) | OPTION_BIT(POLICY) | OPTION_BIT(EXPLAIN),
     "what would become of jobs, without submitting them",
     "Places the jobs' instances on the cluster as it is retained on the bus, or with --cluster on "
     "one out of a file, with no broker, and tells what would change of their specifications and "
     "who would have to make room. The same cluster and jobs give the same plan. Exit code 6 says "
     "that some instance fits nowhere.",
     cmd_plan},
    {"snapshot", "", 0, 0, 0, "print the cluster as the scheduler sees it, as JSON",
     "Nodes with what they offer and what their heartbeat told, the attempts that have not ended "
     "with what they reserve, the jobs, and how the manager places, out of what is retained on "
     "the bus.",
     cmd_snapshot},
    {"events", "", 0, 0, OPTION_BIT(FOLLOW), "print what happens, as it happens",
     "Events are not kept by the broker: this prints those that come until --timeout, or Ctrl-C "
     "with --follow. Of each kind a process tells 100 at once and as many a minute; the next one "
     "says how many were left out.",
     cmd_events},
    {"node", "VERB NODE …", 2, -1, 0, "change a node",
     "`argosy node eligibility NODE on|off` — whether it gets new work; what runs there goes "
     "on.\n"
     "`argosy node labels NODE KEY=VALUE… KEY=…` — sets labels; an empty value removes one.\n"
     "`argosy node interval NODE DURATION` — time between heartbeats, such as 10s.\n"
     "`argosy node delete NODE` — forgets a node that is gone for good; its work moves to others.",
     cmd_node},
    {"init", "[FILE]", 0, 1, OPTION_BIT(FORCE), "write a commented job file to start from",
     "FILE is job.yaml by default. A file that is there is not overwritten.", cmd_init},
    {"dev", "", 0, 0, OPTION_BIT(DATA_DIR) | OPTION_BIT(PORT) | OPTION_BIT(ONCE),
     "start a broker, a manager and a worker here, without root",
     "Everything listens on loopback only and stops with Ctrl-C, the jobs too; they stay known, "
     "and the next start finds them stopped. Without a container engine that answers, jobs need "
     "`runtime: process`.",
     cmd_dev},
    {"completion", "bash", 1, 1, 0, "print a completion script",
     "Use it with `source <(argosy completion bash)`.", cmd_completion},
    {"version", "", 0, 0, 0, "print the version", NULL, cmd_version},
    {"help", "[COMMAND]", 0, 1, OPTION_BIT(MARKDOWN), "explain a command", NULL, cmd_help},
};
const size_t command_count = sizeof commands / sizeof commands[0];

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
