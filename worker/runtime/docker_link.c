/* ask /version -> open the event stream -> UP; the worker lists then, so that nothing is missed.
 *
 * Failure modes: no socket, no answer, a stream that ends: DOWN once, all executions forgotten (the
 * list after the next UP is the truth), tried again after a growing, jittered pause. Events may be
 * lost over a restart of the engine even with `since`: they only make things faster. */
#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/base/prng.h"
#include "schema/codec/json_reader.h"
#include "worker/runtime/docker_body.h"
#include "worker/runtime/docker_runtime.h"
#include "worker/runtime/lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define API_VERSION "1.41"

static void link_down(struct docker *docker, const char *why)
{
    struct docker_link *link = &docker->link;
    engine_cancel(link->ping);
    engine_cancel(link->events);
    link->ping = link->events = NULL;
    link->state = LINK_DOWN;
    buf_clear(&link->line);
    docker_list_cancel(docker);
    docker_usage_cancel(docker);
    docker_forget(docker);
    link->delay_ms = link->delay_ms ? link->delay_ms * 2 : ENGINE_RETRY_MIN_MS;
    if (link->delay_ms > ENGINE_RETRY_MAX_MS)
        link->delay_ms = ENGINE_RETRY_MAX_MS;
    int64_t jitter_ms = (int64_t)prng_below(docker->prng, (uint64_t)link->delay_ms / 4 + 1);
    loop_timer_set(link->retry, clock_now(&clock_system).mono_ms + link->delay_ms + jitter_ms);
    if (!link->told) {
        link->told = true;
        log_warning("the container engine does not answer, trying again quietly: %s", why);
        docker_event(docker, RUNTIME_DOWN);
    }
}

void docker_link_failed(struct docker *docker, const struct err *err)
{
    if (docker->link.state != LINK_DOWN)
        link_down(docker, err->text);
}

/* ---- the event stream ---- */

static void on_event_line(void *context, const char *line, size_t length)
{
    struct docker *docker = context;
    struct engine_event event;
    if (!engine_event_parse(line, length, &event))
        return;
    if (event.time_ns > docker->link.since_ns)
        docker->link.since_ns = event.time_ns;
    docker_end_on_event(docker, &event);
}

static void on_events_data(void *context, const char *bytes, size_t length)
{
    struct docker *docker = context;
    lines_feed(&docker->link.line, bytes, length, on_event_line, docker);
}

static void on_events_open(void *context)
{
    struct docker *docker = context;
    docker->link.state = LINK_UP;
    docker->link.delay_ms = 0;
    docker->link.told = false;
    docker_event(docker, RUNTIME_UP);
    if (docker->list_wanted)
        loop_timer_set(docker->kick, 0);
}

static void on_events_done(void *context, const struct engine_reply *reply)
{
    struct docker *docker = context;
    docker->link.events = NULL;
    link_down(docker, reply->status ? "its event stream ended" : reply->err.text);
}

static void open_events(struct docker *docker)
{
    _cleanup_buf_ struct buf path = BUF_EMPTY;
    buf_add_text(&path, "/events?filters=");
    label_filter(docker->node, NULL, true, &path);
    if (docker->link.since_ns) {
        buf_printf(&path, "&since=%" PRId64 ".%09" PRId64, docker->link.since_ns / 1000000000,
                   docker->link.since_ns % 1000000000);
    }
    docker->link.state = LINK_OPENING;
    docker->link.events = engine_call(docker->client, &(struct engine_call){
                                                          .method = "GET",
                                                          .path = buf_text(&path),
                                                          .on_open = on_events_open,
                                                          .on_data = on_events_data,
                                                          .on_done = on_events_done,
                                                          .context = docker,
                                                      });
}

/* ---- versions ---- */

/* "1.41" as 1041; 0 when it is no version. */
static int version_number(const char *text)
{
    int major, minor;
    if (!text || sscanf(text, "%3d.%3d", &major, &minor) != 2 || major < 0 || minor < 0)
        return 0;
    return major * 1000 + minor;
}

/* Ours where the engine speaks it, else the nearest that it does. */
static const char *choose_version(const struct json *reply)
{
    const char *newest = json_text(json_get(reply, "ApiVersion"));
    const char *oldest = json_text(json_get(reply, "MinAPIVersion"));
    int ours = version_number(API_VERSION);
    if (version_number(newest) && version_number(newest) < ours)
        return newest;
    if (version_number(oldest) > ours)
        return oldest;
    return API_VERSION;
}

static void on_version(void *context, const struct engine_reply *reply)
{
    struct docker *docker = context;
    _cleanup_json_ struct json *tree = NULL;
    docker->link.ping = NULL;
    if (!engine_reply_is_ok(reply)) {
        link_down(docker, reply->status ? "it refuses to tell its version" : reply->err.text);
    } else if (json_parse(reply->body, reply->length, &tree, NULL) < 0) {
        link_down(docker, "its version is not JSON");
    } else {
        engine_client_set_version(docker->client, choose_version(tree));
        open_events(docker);
    }
}

static void on_retry(void *context)
{
    struct docker *docker = context;
    docker->link.state = LINK_ASKING;
    engine_client_set_version(docker->client, NULL); /* it may be another engine now */
    docker->link.ping = engine_call(docker->client, &(struct engine_call){
                                                        .method = "GET",
                                                        .path = "/version",
                                                        .timeout_ms = ENGINE_PING_MS,
                                                        .on_done = on_version,
                                                        .context = docker,
                                                    });
}

void docker_link_init(struct docker *docker)
{
    docker->link.line.limit = ENGINE_LINE_BYTES;
    docker->link.retry = loop_timer_new(docker->loop, on_retry, docker);
    loop_timer_set(docker->link.retry, 0);
}

void docker_link_release(struct docker *docker)
{
    engine_cancel(docker->link.ping);
    engine_cancel(docker->link.events);
    loop_timer_free(docker->link.retry);
    buf_release(&docker->link.line);
}
