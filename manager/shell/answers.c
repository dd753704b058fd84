/* Answers: always on the command's topic + /accepted or /rejected, and also where the caller asked
 * for it, when that is below <root>/replies/. */
#include "manager/shell/shell_state.h"

#include "platform/base/log.h"
#include "schema/codec/codec.h"

#include <stdio.h>
#include <string.h>

typedef void publish_fn(struct manager_shell *shell, const struct bus_publication *publication);

static void publish_after_commit(struct manager_shell *shell,
                                 const struct bus_publication *publication)
{
    ledger_message(shell->ledger, publication);
}

static void publish_now(struct manager_shell *shell, const struct bus_publication *publication)
{
    if (shell->bus->ops->publish(shell->bus, publication))
        log_warning("an answer could not be sent topic=%s", publication->topic);
}

bool manager_shell_may_answer(const struct manager_shell *shell,
                              const struct command_context *context)
{
    const char *response = context->message->response_topic;
    const char *reply_to = context->envelope->reply_to;
    return (!response || reply_topic_permitted(shell->root, response)) &&
           (!reply_to || reply_topic_permitted(shell->root, reply_to));
}

static void send_to(struct manager_shell *shell, const struct command_context *context,
                    const char *topic, const struct buf *bytes, publish_fn *publish)
{
    if (!topic || !reply_topic_permitted(shell->root, topic))
        return;
    publish(shell, &(struct bus_publication){
                       .topic = topic,
                       .payload = bytes->data,
                       .length = bytes->length,
                       .qos = 1,
                       .absolute = true,
                       .correlation = context->message->correlation,
                       .correlation_length = context->message->correlation_length,
                   });
}

static void answer(struct manager_shell *shell, const struct command_context *context,
                   const struct reply *reply, publish_fn *publish)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    _cleanup_buf_ struct buf bytes = BUF_EMPTY;
    const char *response = context->message->response_topic;
    const char *reply_to = context->envelope->reply_to;
    snprintf(topic, sizeof(topic), "%s/%s", context->message->topic,
             reply->result == REPLY_ACCEPTED ? "accepted" : "rejected");
    codec_encode(&reply_record, reply, &bytes);
    publish(shell, &(struct bus_publication){
                       .topic = topic, .payload = bytes.data, .length = bytes.length, .qos = 1});
    send_to(shell, context, response, &bytes, publish);
    if (!response || !reply_to || strcmp(response, reply_to) != 0)
        send_to(shell, context, reply_to, &bytes, publish);
}

void manager_shell_answer(struct manager_shell *shell, const struct command_context *context,
                          const struct reply *reply)
{
    answer(shell, context, reply, publish_after_commit);
}

void manager_shell_answer_now(struct manager_shell *shell, const struct command_context *context,
                              const struct reply *reply)
{
    answer(shell, context, reply, publish_now);
}
