/* The engine's multiplexed log stream: frames of an 8-byte header (stream, three zeros, big-endian
 * length) and their bytes. A stream that does not begin with such a header comes from a terminal
 * and is passed on as it is, as stdout. Frames are passed on in pieces as they arrive: nothing is
 * collected. */
#ifndef ARGOSY_WORKER_RUNTIME_LOG_FRAMES_H
#define ARGOSY_WORKER_RUNTIME_LOG_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_frames {
    unsigned char header[8];
    size_t header_length;
    uint32_t left; /* bytes of the frame still to come */
    int stream;    /* of the frame: 1 stdout, 2 stderr */
    bool started;  /* the first header was one */
    bool raw;
};

#define LOG_FRAMES_EMPTY ((struct log_frames){0})

typedef void log_frames_fn(void *context, int stream, const char *bytes, size_t length);

/* Calls `write` for each piece. False when a header inside the stream is not one: the stream is
 * damaged and the rest of it cannot be told apart. */
bool log_frames_feed(struct log_frames *mux, const char *bytes, size_t length, log_frames_fn *write,
                     void *context);
/* At the end of the stream: passes on what looked like the beginning of a header in a raw stream.
 */
void log_frames_end(struct log_frames *mux, log_frames_fn *write, void *context);

#endif
