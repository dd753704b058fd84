/* engine_call -> easy handle -> multi; the loop tells curl which socket is ready or that its timer
 * is due; curl tells which calls are complete -> on_done, and the request is gone.
 *
 * Failure modes: no socket, engine killed (-ERR_UNREACHABLE), no answer (-ERR_TIMED_OUT), a reply
 * past its limit (-ERR_TOO_LARGE). curl may not be called from its own callbacks: these only
 * collect, and what they collected is delivered when curl has returned, so that a receiver may
 * start and cancel calls. */
#include "worker/runtime/docker_client.h"

#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/base/buf.h"
#include "platform/base/mem.h"
#include "worker/runtime/limits.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

struct engine_client {
    struct loop *loop;
    struct loop_timer *timer;
    CURLM *multi;
    struct curl_slist *headers;
    char *socket_path;
    char version[16]; /* "/v1.41", or "" */
    struct engine_request *requests;
};

struct engine_request {
    struct engine_client *client;
    struct engine_request *prev, *next;
    CURL *easy;
    struct engine_call call;
    struct buf body; /* of a streamed reply: what was not delivered yet */
    bool is_ok;      /* the headers of a 2xx reply came */
    bool open_is_due;
};

static void request_free(struct engine_request *request)
{
    DL_DELETE(request->client->requests, request);
    curl_multi_remove_handle(request->client->multi, request->easy);
    curl_easy_cleanup(request->easy);
    buf_release(&request->body);
    free(request);
}

/* ---- from the loop to curl ---- */

static void finish(struct engine_request *request, CURLcode code);

static void finish_completed(struct engine_client *client)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct engine_request *request = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
        finish(request, code);
    }
}

/* One callback; then everything may be different. False when there is nothing to deliver. */
static bool deliver_one(struct engine_client *client)
{
    struct engine_request *request;
    DL_FOREACH(client->requests, request)
    {
        const struct engine_call *call = &request->call;
        if (request->open_is_due) {
            request->open_is_due = false;
            call->on_open(call->context);
            return true;
        }
        if (request->is_ok && call->on_data && request->body.length > 0) {
            _cleanup_buf_ struct buf taken = request->body;
            request->body = (struct buf){.limit = taken.limit};
            call->on_data(call->context, taken.data, taken.length);
            return true;
        }
    }
    return false;
}

static void drive(struct engine_client *client, curl_socket_t socket, int events)
{
    int running;
    curl_multi_socket_action(client->multi, socket, events, &running);
    while (deliver_one(client))
        ;
    finish_completed(client);
}

static void on_timer(void *context)
{
    drive(context, CURL_SOCKET_TIMEOUT, 0);
}

struct watch {
    struct engine_client *client;
    struct loop_poll *poll;
    curl_socket_t socket;
};

static void on_socket(void *context, int events)
{
    const struct watch *watch = context;
    int action = (events & LOOP_READABLE ? CURL_CSELECT_IN : 0) |
                 (events & LOOP_WRITABLE ? CURL_CSELECT_OUT : 0);
    drive(watch->client, watch->socket, action);
}

/* ---- from curl to the loop ---- */

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct engine_client *client = context;
    int64_t now_ms = clock_now(&clock_system).mono_ms;
    loop_timer_set(client->timer, timeout_ms < 0 ? INT64_MAX : now_ms + timeout_ms);
    return 0;
}

static int set_socket(CURL *easy, curl_socket_t socket, int what, void *context,
                      void *socket_context)
{
    (void)easy;
    struct engine_client *client = context;
    struct watch *watch = socket_context;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            loop_poll_free(watch->poll);
        free(watch);
        return 0;
    }
    if (!watch) {
        watch = mem_alloc(sizeof(*watch));
        *watch = (struct watch){.client = client, .socket = socket};
        watch->poll = loop_poll_new(client->loop, socket, on_socket, watch);
        curl_multi_assign(client->multi, socket, watch);
    }
    loop_poll_set(watch->poll, (what & CURL_POLL_IN ? LOOP_READABLE : 0) |
                                   (what & CURL_POLL_OUT ? LOOP_WRITABLE : 0));
    return 0;
}

/* curl's own would be inherited by the processes that we start. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *place)
{
    (void)context;
    (void)purpose;
    return socket(place->family, place->socktype | SOCK_CLOEXEC, place->protocol);
}

/* ---- a reply ---- */

/* The empty line ends the headers. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct engine_request *request = context;
    long status = 0;
    if (size * count == 2 && memcmp(bytes, "\r\n", 2) == 0 && !request->is_ok) {
        curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
        request->is_ok = status >= 200 && status < 300;
        request->open_is_due = request->is_ok && request->call.on_open;
    }
    return size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct engine_request *request = context;
    buf_add(&request->body, bytes, size * count);
    return request->body.failed ? 0 : size * count;
}

static int translate(CURLcode code, struct err *err)
{
    const char *text = curl_easy_strerror(code);
    if (code == CURLE_OK)
        return 0;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, ERR_TIMED_OUT, "the engine did not answer in time");
    if (code == CURLE_WRITE_ERROR)
        return err_set(err, ERR_TOO_LARGE, "the engine's reply is larger than the limit");
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
        code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE)
        return err_set(err, ERR_UNREACHABLE, "the engine cannot be reached: %s", text);
    return err_set(err, ERR_IO, "the call to the engine failed: %s", text);
}

static void finish(struct engine_request *request, CURLcode code)
{
    struct engine_reply reply = {0};
    if (translate(code, &reply.err) == 0)
        curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &reply.status);
    reply.body = buf_text(&request->body);
    reply.length = request->body.length;
    /* Taken out of the list first, so that the callback finds a client without this call. */
    struct engine_call call = request->call;
    struct buf body = request->body;
    request->body = BUF_EMPTY;
    request_free(request);
    call.on_done(call.context, &reply);
    buf_release(&body);
}

/* ---- a request ---- */

static void set_options(struct engine_request *request, const char *url)
{
    CURL *easy = request->easy;
    const struct engine_call *call = &request->call;
    bool may_repeat = strcmp(call->method, "GET") == 0;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->client->socket_path);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->client->headers);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)ENGINE_PING_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, may_repeat ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, may_repeat ? 0L : 1L);
    if (call->silence_ms > 0) {
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(call->silence_ms / 1000));
    }
    if (strcmp(call->method, "POST") == 0 || call->body) {
        const char *body = call->body ? call->body : "";
        size_t length = call->body_length ? call->body_length : strlen(body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)length);
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
    }
    if (!may_repeat && strcmp(call->method, "POST") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

struct engine_request *engine_call(struct engine_client *client, const struct engine_call *call)
{
    struct engine_request *request = mem_alloc(sizeof(*request));
    request->client = client;
    request->call = *call;
    request->body.limit = call->limit_bytes ? call->limit_bytes : ENGINE_REPLY_BYTES;
    request->easy = curl_easy_init();
    ASSERT(request->easy);
    _cleanup_free_ char *url = mem_printf("http://engine%s%s", client->version, call->path);
    set_options(request, url);
    request->call.path = request->call.body = NULL; /* the caller's */
    DL_APPEND(client->requests, request);
    ASSERT(curl_multi_add_handle(client->multi, request->easy) == CURLM_OK);
    return request;
}

void engine_cancel(struct engine_request *request)
{
    if (request)
        request_free(request);
}

/* ---- the client ---- */

struct engine_client *engine_client_new(const char *socket_path, struct loop *loop)
{
    ASSERT(curl_global_init(CURL_GLOBAL_NOTHING) == CURLE_OK);
    struct engine_client *client = mem_alloc(sizeof(*client));
    client->loop = loop;
    client->socket_path = mem_strdup(socket_path);
    client->timer = loop_timer_new(loop, on_timer, client);
    client->multi = curl_multi_init();
    ASSERT(client->multi);
    /* Without the first line curl would wait a second before it sends a large body. */
    client->headers = curl_slist_append(client->headers, "Expect:");
    client->headers = curl_slist_append(client->headers, "Content-Type: application/json");
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, 2L);
    return client;
}

void engine_client_free(struct engine_client *client)
{
    if (!client)
        return;
    struct engine_request *request, *next;
    DL_FOREACH_SAFE(client->requests, request, next)
    {
        request_free(request);
    }
    curl_multi_cleanup(client->multi);
    curl_slist_free_all(client->headers);
    loop_timer_free(client->timer);
    free(client->socket_path);
    free(client);
    curl_global_cleanup();
}

void engine_client_set_version(struct engine_client *client, const char *version)
{
    client->version[0] = '\0';
    if (version && strlen(version) < sizeof(client->version) - strlen("/v"))
        snprintf(client->version, sizeof(client->version), "/v%s", version);
}
