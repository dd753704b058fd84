/* A log stream in two pieces is the same as in one, its end fits its limit, and no line is longer
 * than it may be. */
#include "platform/base/buf.h"
#include "tests/fuzz/fuzz.h"
#include "worker/runtime/lines.h"
#include "worker/runtime/log_frames.h"
#include "worker/runtime/log_tail.h"

#include <string.h>

static void write_to(void *context, int stream, const char *bytes, size_t length)
{
    struct buf *streams = context;
    ASSERT(stream == 1 || stream == 2);
    buf_add(&streams[stream], bytes, length);
}

static bool read_pieces(const char *text, size_t size, size_t cut, struct buf streams[3])
{
    struct log_frames frames = LOG_FRAMES_EMPTY;
    bool good = log_frames_feed(&frames, text, cut, write_to, streams) &&
                log_frames_feed(&frames, text + cut, size - cut, write_to, streams);
    if (good)
        log_frames_end(&frames, write_to, streams);
    return good;
}

static void check_frames(const char *text, size_t size, size_t cut)
{
    struct buf whole[3] = {0}, pieces[3] = {0};
    bool good = read_pieces(text, size, size, whole);
    ASSERT(read_pieces(text, size, cut, pieces) == good);
    for (int stream = 1; stream <= 2; stream++) {
        ASSERT(whole[stream].length == pieces[stream].length);
        ASSERT(strcmp(buf_text(&whole[stream]), buf_text(&pieces[stream])) == 0);
        buf_release(&whole[stream]);
        buf_release(&pieces[stream]);
    }
}

static void keep(void *context, int stream, const char *bytes, size_t length)
{
    log_tail_add(context, stream, bytes, length);
}

static void check_tail(const char *text, size_t size, size_t limit, size_t lines)
{
    struct log_frames frames = LOG_FRAMES_EMPTY;
    struct log_tail tail = {.limit_bytes = limit};
    log_frames_feed(&frames, text, size, keep, &tail);
    ASSERT(tail.used_bytes <= limit);
    size_t before = tail.used_bytes;
    log_tail_keep_lines(&tail, lines);
    ASSERT(tail.used_bytes <= before && (lines || tail.used_bytes == 0));
    log_tail_release(&tail);
}

static void on_line(void *context, const char *line, size_t length)
{
    const size_t *longest = context;
    ASSERT(length <= *longest && !memchr(line, '\n', length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *text = (const char *)data + 2;
    size_t cut = data[0] % (size - 1), limit = data[1];
    size_t longest = limit + 1;
    struct buf rest = {.limit = longest};
    check_frames(text, size - 2, cut);
    check_tail(text, size - 2, limit, data[0] % 8);
    lines_feed(&rest, text, cut, on_line, &longest);
    lines_feed(&rest, text + cut, size - 2 - cut, on_line, &longest);
    buf_release(&rest);
    return 0;
}
