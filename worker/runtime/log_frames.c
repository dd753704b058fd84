#include "worker/runtime/log_frames.h"

#include <string.h>

/* Streams 0 (stdin, shown on stdout), 1 and 2 exist. A shorter prefix of one counts as well. */
static bool header_is_possible(const struct log_frames *mux)
{
    for (size_t i = 1; i < mux->header_length && i < 4; i++) {
        if (mux->header[i] != 0)
            return false;
    }
    return mux->header[0] <= 2;
}

static void header_read(struct log_frames *mux)
{
    const unsigned char *h = mux->header;
    mux->left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
    mux->stream = h[0] == 2 ? 2 : 1;
    mux->header_length = 0;
    mux->started = true;
}

static void become_raw(struct log_frames *mux, log_frames_fn *write, void *context)
{
    mux->raw = true;
    if (mux->header_length > 0)
        write(context, 1, (const char *)mux->header, mux->header_length);
    mux->header_length = 0;
}

/* Takes one byte of a header. False: the stream is damaged. */
static bool header_feed(struct log_frames *mux, char byte, log_frames_fn *write, void *context)
{
    mux->header[mux->header_length++] = (unsigned char)byte;
    if (!header_is_possible(mux)) {
        if (mux->started)
            return false;
        become_raw(mux, write, context);
    } else if (mux->header_length == sizeof(mux->header)) {
        header_read(mux);
    }
    return true;
}

bool log_frames_feed(struct log_frames *mux, const char *bytes, size_t length, log_frames_fn *write,
                     void *context)
{
    while (length > 0) {
        size_t taken = 1;
        if (mux->raw) {
            taken = length;
            write(context, 1, bytes, taken);
        } else if (mux->left > 0) {
            taken = length < mux->left ? length : mux->left;
            write(context, mux->stream, bytes, taken);
            mux->left -= (uint32_t)taken;
        } else if (!header_feed(mux, *bytes, write, context)) {
            return false;
        }
        bytes += taken;
        length -= taken;
    }
    return true;
}

void log_frames_end(struct log_frames *mux, log_frames_fn *write, void *context)
{
    if (!mux->started && !mux->raw)
        become_raw(mux, write, context);
}
