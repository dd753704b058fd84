/* What the libraries alone cost: a process that links what the worker links, connects to a broker,
 * opens a store and a loop, and has nothing of ours. Prints "ready" and waits to be measured.
 *
 *   bare_process BROKER-URI STORE-DIRECTORY */
#include "tests/bench/bare_mqtt.h"

#include <curl/curl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

static void ready(void)
{
    puts("ready");
    fflush(stdout);
}

static void tick(uv_timer_t *timer)
{
    (void)timer;
}

int main(int count, char **words)
{
    if (count != 3)
        return 2;
    MDB_env *store;
    if (mdb_env_create(&store) != 0 || mdb_env_open(store, words[2], 0, 0600) != 0)
        return 1;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    CURL *easy = curl_easy_init();
    curl_multi_add_handle(multi, easy);

    if (bare_mqtt_connect(words[1], ready))
        return 1;
    uv_timer_t timer;
    uv_timer_init(uv_default_loop(), &timer);
    uv_timer_start(&timer, tick, 10000, 10000);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
