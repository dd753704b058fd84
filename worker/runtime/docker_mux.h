/* The engine's multiplexed log stream: frames of an 8-byte header (stream, three zeros, big-endian
 * length) and their bytes. A stream that does not begin with such a header comes from a terminal
 * and is passed on as it is, as stdout. Frames are passed on in pieces as they arrive: nothing is
 * collected. */
#ifndef ARGOSY_WORKER_RUNTIME_DOCKER_MUX_H
#define ARGOSY_WORKER_RUNTIME_DOCKER_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct docker_mux {
    unsigned char header[8];
    size_t header_length;
    uint32_t left; /* bytes of the frame still to come */
    int stream;    /* of the frame: 1 stdout, 2 stderr */
    bool started;  /* the first header was one */
    bool raw;
};

#define DOCKER_MUX_EMPTY ((struct docker_mux){0})

typedef void docker_mux_fn(void *context, int stream, const char *bytes, size_t length);

/* Calls `write` for each piece. False when a header inside the stream is not one: the stream is
 * damaged and the rest of it cannot be told apart. */
bool docker_mux_feed(struct docker_mux *mux, const char *bytes, size_t length, docker_mux_fn *write,
                     void *context);
/* At the end of the stream: passes on what looked like the beginning of a header in a raw stream.
 */
void docker_mux_end(struct docker_mux *mux, docker_mux_fn *write, void *context);

#endif
