/* argosy-sim: runs seeds; a failure is shrunk and told. Exit status 0 when all were clean.
 *
 *   argosy-sim --seeds 1..200
 *   argosy-sim --seed 42 --faults all,-partition --steps 30 --trace */
#include "platform/base/log.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

struct arguments {
    struct options options;
    uint64_t first, last;
    bool hash;  /* prints it; each seed is run twice */
    bool whole; /* a failure is not shrunk */
    bool mixed; /* the seed decides about nodes, jobs and steps */
};

struct result {
    bool clean;
    uint64_t hash, events;
    int64_t virtual_ms;
    char failure[400];
};

static uint64_t running_seed;

/* An assertion of the code under test: which seed was it? */
static void on_abort(int signal)
{
    char text[64];
    int length = snprintf(text, sizeof(text), "aborted in seed %" PRIu64 "\n", running_seed);
    (void)signal;
    if (write(STDERR_FILENO, text, (size_t)length) < 0)
        _exit(EXIT_FAILURE);
}

static struct result run(const struct options *options, bool tell)
{
    static struct world world;
    running_seed = options->seed;
    world_init(&world, options);
    struct result result = {.clean = world_run(&world)};
    result.hash = world.hash;
    result.events = world.events;
    result.virtual_ms = world.now_ms;
    memcpy(result.failure, world.failure, sizeof(result.failure));
    if (tell)
        world_print_history(&world, stdout);
    world_release(&world);
    return result;
}

/* ---- shrinking: fewer kinds of faults, then fewer steps, while the same invariant breaks ---- */

static bool fails_alike(const struct options *options, const char *failure)
{
    struct result result = run(options, false);
    return !result.clean && !strncmp(result.failure, failure, 2);
}

static struct options shrink(struct options options, const char *failure)
{
    for (int i = 0; i < fault_count(); i++) {
        struct options less = options;
        less.faults &= ~(1ULL << i);
        if (less.faults != options.faults && fails_alike(&less, failure))
            options = less;
    }
    for (int cut = options.steps / 2; cut > 0; cut /= 2) {
        struct options less = options;
        for (less.steps -= cut; less.steps > 0 && fails_alike(&less, failure); less.steps -= cut)
            options = less;
    }
    return options;
}

static void print_options(const struct options *options)
{
    const char *separator = "";
    printf("argosy-sim --seed %" PRIu64 " --nodes %d --jobs %d --steps %d --faults ", options->seed,
           options->nodes, options->jobs, options->steps);
    for (int i = 0; i < fault_count(); i++)
        if (options->faults >> i & 1) {
            printf("%s%s", separator, fault_name(i));
            separator = ",";
        }
    printf("%s\n", *separator ? "" : "none");
}

static void report(const struct arguments *arguments, const struct options *failing,
                   const struct result *result)
{
    struct options options = *failing;
    printf("\nseed %" PRIu64 ": %s\n", options.seed, result->failure);
    fflush(stdout);
    if (!arguments->whole) {
        options.trace = false;
        options = shrink(options, result->failure);
        printf("shrunk to: ");
        print_options(&options);
        run(&options, true);
    }
    fflush(stdout);
}

/* ---- seeds ---- */

/* Small and large clusters, short and long histories. */
static void mix(struct options *options)
{
    struct prng prng;
    prng_init(&prng, options->seed);
    options->nodes = 1 + (int)prng_below(&prng, 6);
    options->jobs = 1 + (int)prng_below(&prng, 8);
    options->steps = 10 + (int)prng_below(&prng, 110);
}

static bool run_seed(const struct arguments *arguments, uint64_t seed, uint64_t *events)
{
    struct options options = arguments->options;
    options.seed = seed;
    if (arguments->mixed)
        mix(&options);
    struct result result = run(&options, false);
    *events += result.events;
    if (arguments->hash && result.clean) {
        struct result again = run(&options, false);
        printf("seed %" PRIu64 " hash %016" PRIx64 "\n", seed, result.hash);
        result.clean = again.hash == result.hash;
        snprintf(result.failure, sizeof(result.failure), "I10: another hash the second time");
    }
    if (!result.clean)
        report(arguments, &options, &result);
    return result.clean;
}

static int run_all(const struct arguments *arguments)
{
    uint64_t events = 0, failed = 0;
    clock_t start = clock();
    for (uint64_t seed = arguments->first; seed <= arguments->last; seed++)
        failed += !run_seed(arguments, seed, &events);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%" PRIu64 " seeds, %" PRIu64 " failed, %" PRIu64 " events, %.1f s, %.0f events/s\n",
           arguments->last - arguments->first + 1, failed, events, seconds,
           (double)events / (seconds > 0 ? seconds : 1));
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- arguments ---- */

static int usage(void)
{
    printf(
        "usage: argosy-sim [--seed N | --seeds A..B] [--nodes N] [--jobs N] [--steps N] [--mixed]\n"
        "                  [--faults all|none|LIST] [--trace] [--hash] [--whole]\n"
        "  LIST is comma-separated, -NAME takes one out:");
    for (int i = 0; i < fault_count(); i++)
        printf(" %s", fault_name(i));
    printf("\n");
    return EXIT_USAGE;
}

static bool read_value(struct arguments *arguments, const char *name, const char *value)
{
    struct options *options = &arguments->options;
    if (!strcmp(name, "--seed"))
        arguments->first = arguments->last = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--seeds"))
        return sscanf(value, "%" SCNu64 "..%" SCNu64, &arguments->first, &arguments->last) == 2;
    else if (!strcmp(name, "--nodes"))
        options->nodes = atoi(value);
    else if (!strcmp(name, "--jobs"))
        options->jobs = atoi(value);
    else if (!strcmp(name, "--steps"))
        options->steps = atoi(value);
    else if (!strcmp(name, "--faults"))
        return faults_from_string(value, &options->faults);
    else
        return false;
    return options->nodes >= 1 && options->nodes <= NODES_MAX && options->jobs >= 1 &&
           options->jobs <= JOBS_MAX && options->steps >= 0;
}

static bool read_flag(struct arguments *arguments, const char *name)
{
    bool *flag = !strcmp(name, "--trace")   ? &arguments->options.trace
                 : !strcmp(name, "--hash")  ? &arguments->hash
                 : !strcmp(name, "--whole") ? &arguments->whole
                 : !strcmp(name, "--mixed") ? &arguments->mixed
                                            : NULL;
    if (flag)
        *flag = true;
    return flag != NULL;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .options = {.nodes = 3, .jobs = 4, .steps = 60}, .first = 1, .last = 1};
    faults_from_string("all", &arguments.options.faults);
    for (int i = 1; i < argc; i++) {
        if (read_flag(&arguments, argv[i]))
            continue;
        if (i + 1 >= argc || !read_value(&arguments, argv[i], argv[i + 1]))
            return usage();
        i++;
    }
    signal(SIGABRT, on_abort);
    log_init("simulation", LOG_LEVEL_ERROR);
    return run_all(&arguments);
}
