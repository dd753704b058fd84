#include "cli/progress.h"

#include "cli/client.h"
#include "cli/format.h"
#include "platform/base/mem.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct progress progress_begin(const struct cli *cli)
{
    return (struct progress){.enabled = cli->progress, .started_ms = client_mono_ms()};
}

static size_t terminal_width(void)
{
    struct winsize size = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10;
    return known ? size.ws_col : 80;
}

static const char *frame(struct progress *progress)
{
    static const char *const round[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    static const char *const plain[] = {"|", "/", "-", "\\"};
    unsigned at = progress->frame++;
    bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return utf8 ? round[at % ARRAY_LENGTH(round)] : plain[at % ARRAY_LENGTH(plain)];
}

void progress_show(struct progress *progress, const char *text)
{
    if (!progress->enabled)
        return;
    int room = (int)terminal_width() - 12;
    int64_t seconds = (client_mono_ms() - progress->started_ms) / 1000;
    fprintf(stderr, "\r\033[K%s %.*s  %" PRId64 "s", frame(progress), room, text, seconds);
    fflush(stderr);
    progress->shown = true;
}

void progress_show_job(struct progress *progress, const char *job, const struct job_status *status)
{
    struct arena arena = ARENA_EMPTY;
    if (!progress->enabled)
        return;
    const char *text = status ? arena_printf(&arena, "%s: %s, %" PRId64 " wanted; %s", job,
                                             job_state_word(status->state), status->wanted,
                                             format_counts(&arena, &status->counts))
                              : arena_printf(&arena, "%s: waiting for its status", job);
    progress_show(progress, text ? text : job);
    arena_release(&arena);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    fflush(stderr);
}
