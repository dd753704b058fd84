/* What of the bare process depends on the MQTT library that the worker links. */
#ifndef ARGOSY_TESTS_BENCH_BARE_MQTT_H
#define ARGOSY_TESTS_BENCH_BARE_MQTT_H

/* Connects to "tcp://host:port" and keeps connected while uv's default loop runs; `ready` is called
 * once that is so. 0, or the library's code. */
int bare_mqtt_connect(const char *uri, void (*ready)(void));

#endif
