/* The second connection: commands, and nothing else (D39).
 *
 *   we lead -> started -> connected -> do/+/+/+ subscribed to -> granted: commands reach us
 *
 * Its session is the cluster's and not the manager's, and the broker keeps it: what is said while
 * there is no manager waits for the next one, whoever that is.
 *
 * Failure modes. It is lost: the bus connects again, and commands wait at the broker. The
 * documents' connection is lost, or the picture is not whole again: commands wait here
 * (commands.c). Nothing at all comes while the grant is awaited: connected again. Another manager
 * leads: closed for good, from the timer, since the session is the other one's now; until both know
 * of each other they take it from one another. */
#include "manager/shell/shell_state.h"

#include "platform/base/log.h"

#include <inttypes.h>
#include <stdio.h>

enum { SUBSCRIPTION = 1 };

static void await_grant(struct manager_shell *shell)
{
    shell->commands_granted_by_ms = manager_shell_now(shell).mono_ms + ANSWER_TIMEOUT_MS;
}

/* Who reads this may command. */
static void say_leading(const struct manager_shell *shell)
{
    if (shell->commands_reach_us && manager_phase(shell->manager) == PHASE_LEADING)
        log_info("leading cluster=%s term=%lld", manager_cluster(shell->manager),
                 (long long)manager_term(shell->manager));
}

static void on_connected(void *context)
{
    static const struct bus_filter filter = {"do/+/+/+", 1, BUS_FLAGGED};
    struct manager_shell *shell = context;
    await_grant(shell);
    shell->commands->ops->subscribe(shell->commands, SUBSCRIPTION, &filter, 1);
}

static void on_disconnected(void *context, const char *why)
{
    struct manager_shell *shell = context;
    log_warning("commands wait at the broker: %s", why ? why : "unknown");
    shell->commands_reach_us = false;
    shell->commands_granted_by_ms = INT64_MAX;
}

/* Refused: the bus asks again by itself. */
static void on_subscribed(void *context, int stage, bool granted)
{
    struct manager_shell *shell = context;
    (void)stage;
    shell->commands_reach_us = granted;
    shell->commands_granted_by_ms = INT64_MAX;
    say_leading(shell);
}

static void on_message(void *context, const struct bus_message *message)
{
    struct manager_shell *shell = context;
    struct topic topic;
    if (!shell->commands_reach_us)
        await_grant(shell); /* what waited comes first */
    if (topic_parse(message->topic, &topic) &&
        (topic.kind == TOPIC_DO_JOB || topic.kind == TOPIC_DO_NODE))
        manager_shell_on_command(shell, message, &topic);
}

static void on_batch_end(void *context)
{
    manager_shell_end_of_batch(context);
}

struct bus_handler manager_shell_commands_handler(struct manager_shell *shell)
{
    return (struct bus_handler){
        .context = shell,
        .on_connected = on_connected,
        .on_disconnected = on_disconnected,
        .on_subscribed = on_subscribed,
        .on_message = on_message,
        .on_batch_end = on_batch_end,
    };
}

const char *manager_shell_commands_id(const struct manager_shell *shell)
{
    return shell->commands_id;
}

void manager_shell_name_commands(struct manager_shell *shell)
{
    snprintf(shell->commands_id, sizeof(shell->commands_id), "argosy-commands-%016" PRIx64,
             text_hash(shell->root));
}

void manager_shell_hear_commands(struct manager_shell *shell)
{
    if (!shell->commands_started)
        shell->commands->ops->start(shell->commands);
    shell->commands_started = true;
    say_leading(shell);
}

void manager_shell_close_commands(struct manager_shell *shell)
{
    if (shell->commands)
        shell->commands->ops->close(shell->commands, 0);
    shell->commands = NULL;
    shell->commands_granted_by_ms = INT64_MAX;
}

static bool are_anothers(const struct manager_shell *shell)
{
    return shell->commands && manager_phase(shell->manager) == PHASE_SUPERSEDED;
}

int64_t manager_shell_commands_deadline_ms(const struct manager_shell *shell)
{
    return are_anothers(shell) ? 0 : shell->commands_granted_by_ms;
}

void manager_shell_look_after_commands(struct manager_shell *shell)
{
    if (are_anothers(shell)) {
        manager_shell_close_commands(shell);
        return;
    }
    shell->commands_granted_by_ms = INT64_MAX;
    shell->commands->ops->reconnect(shell->commands, "a subscription was not answered");
}
