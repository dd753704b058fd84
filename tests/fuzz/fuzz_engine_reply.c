/* Whatever the container engine says: every reader of it keeps its bounds, and an identity is
 * plain. */
#include "schema/codec/json_reader.h"
#include "tests/fuzz/fuzz.h"
#include "worker/runtime/docker_reply.h"

#include <string.h>

static void check_container(const struct container *container)
{
    static const char odd[] = "/. \n\"";
    ASSERT(container->port_count <= TASK_PORTS_MAX);
    ASSERT(!strpbrk(container->identity.node, odd));
    ASSERT(!strpbrk(container->identity.task_id, odd));
    ASSERT(container->identity.run >= 0);
    for (size_t i = 0; i < container->port_count; i++)
        ASSERT(container->ports[i].host > 0 && container->ports[i].host <= 65535);
}

static void read_tree(const struct json *tree)
{
    struct container container;
    struct runtime_usage usage;
    if (container_from_inspect(tree, &container))
        check_container(&container);
    for (const struct json *element = json_first(tree); element; element = json_next(element)) {
        if (container_from_list(element, &container))
            check_container(&container);
    }
    if (usage_from_stats(tree, &usage))
        ASSERT(usage.memory_bytes >= -(1LL << 53) && usage.net_rx_bytes >= -1);
    engine_time_ms(json_text(json_get(tree, "time")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct engine_event event;
    struct pull_line line;
    char message[LIMIT_MESSAGE_LENGTH + 1];
    _cleanup_json_ struct json *tree = NULL;
    if (json_parse(text, size, &tree, NULL) == 0)
        read_tree(tree);
    if (engine_event_parse(text, size, &event))
        ASSERT(event.identity.run >= 0 && event.time_ns >= 0);
    if (pull_line_parse(text, size, &line))
        ASSERT(line.percent >= -1 && line.percent <= 100);
    engine_error_text(text, size, message, sizeof(message));
    for (int step = STEP_CREATE; step <= STEP_PULL; step++)
        ASSERT(engine_error_reason((enum engine_step)step, 500, message) != REASON_NONE);
    const char *sentence;
    init_failure_reason(message, &sentence);
    return 0;
}
