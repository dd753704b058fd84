/* argosy-sim: runs seeds; a failure is shrunk and told. Exit status 0 when all were clean.
 *
 *   argosy-sim --seeds 1..200
 *   argosy-sim --countdown            the main job with a fault at every n-th operation
 *   argosy-sim --seed 42 --faults all,-partition --steps 30 --trace */
#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "tests/simulation/countdown.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/main_job.h"
#include "tests/simulation/trials.h"
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
    bool hash;   /* prints it; each seed is run twice */
    bool whole;  /* a failure is not shrunk */
    bool once;   /* nothing after the first failure */
    bool mixed;  /* the seed decides about nodes, jobs and steps */
    bool trials; /* each seed once with each */
    bool countdown;
    int64_t stride; /* of the countdown's n; the seed shifts it */
};

enum { COUNTDOWN_KINDS = COUNTDOWN_ALLOCATION + 1, MAIN_JOB_PROCESSES = MAIN_JOB_NODES + 1 };

struct result {
    bool clean;
    uint64_t hash, events;
    int64_t virtual_ms;
    int64_t counts[COUNTDOWN_KINDS][MAIN_JOB_PROCESSES]; /* of a main job */
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

static void count_all(struct world *world, struct result *result)
{
    for (int kind = COUNTDOWN_DEATH; kind < COUNTDOWN_KINDS; kind++)
        for (int process = 0; process < MAIN_JOB_PROCESSES; process++)
            result->counts[kind][process] =
                countdown_count(world, (enum countdown_kind)kind, process);
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
    if (options->main_job)
        count_all(&world, &result);
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
    printf("argosy-sim%s%s%s --seed %" PRIu64 " --nodes %d --jobs %d --steps %d ",
           options->kinds == KINDS_EVERY     ? " --types"
           : options->kinds == KINDS_CROWDED ? " --crowded"
                                             : "",
           options->mqtt5 ? " --mqtt5" : "", options->hasty ? " --hasty" : "", options->seed,
           options->nodes, options->jobs, options->steps);
    if (options->trial)
        printf("--trial %s --faults ", trial_name(options->trial));
    else
        printf("--faults ");
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

static bool stops(const struct arguments *arguments, uint64_t failed)
{
    return arguments->once && failed;
}

/* Small and large clusters, short and long histories. */
static void mix(struct options *options)
{
    struct prng prng;
    prng_init(&prng, options->seed);
    options->nodes = 1 + (int)prng_below(&prng, 6);
    options->jobs = 1 + (int)prng_below(&prng, 8);
    options->steps = 10 + (int)prng_below(&prng, 110);
    options->mqtt5 = prng_below(&prng, 2);
}

static bool run_seed(const struct arguments *arguments, uint64_t seed, int trial, uint64_t *events)
{
    struct options options = arguments->options;
    options.seed = seed;
    options.trial = trial;
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
    int first = arguments->trials ? 1 : arguments->options.trial;
    int last = arguments->trials ? trial_count() : arguments->options.trial;
    clock_t start = clock();
    for (uint64_t seed = arguments->first; seed <= arguments->last; seed++)
        for (int trial = first; trial <= last && !stops(arguments, failed); trial++)
            failed += !run_seed(arguments, seed, trial, &events);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%" PRIu64 " seeds, %" PRIu64 " failed, %" PRIu64 " events, %.1f s, %.0f events/s\n",
           arguments->last - arguments->first + 1, failed, events, seconds,
           (double)events / (seconds > 0 ? seconds : 1));
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the countdown ---- */

static bool run_main_job(const struct options *options, bool tell, struct result *ret_result)
{
    *ret_result = run(options, false);
    if (ret_result->clean)
        return true;
    printf("\nseed %" PRIu64 " --countdown ", options->seed);
    countdown_print(&options->countdown, stdout);
    printf(": %s\n", ret_result->failure);
    if (tell)
        run(options, true);
    fflush(stdout);
    return false;
}

/* Every n of one kind and process. */
static uint64_t count_down(const struct arguments *arguments, struct countdown countdown,
                           int64_t count)
{
    struct options options = arguments->options;
    struct result result;
    uint64_t failed = 0, runs = 0;
    countdown.n = 1 + (int64_t)(options.seed % (uint64_t)arguments->stride);
    for (; countdown.n <= count && !stops(arguments, failed);
         countdown.n += arguments->stride, runs++) {
        options.countdown = countdown;
        failed += !run_main_job(&options, !arguments->whole, &result);
    }
    countdown.n = count;
    countdown_print(&countdown, stdout);
    printf(": %" PRIu64 " runs, %" PRIu64 " failed\n", runs, failed);
    return failed;
}

static int run_countdown(const struct arguments *arguments)
{
    struct options options = arguments->options;
    struct countdown wanted = options.countdown;
    struct result whole, one;
    uint64_t failed = 0;
    if (wanted.n)
        return run_main_job(&options, true, &one) ? EXIT_SUCCESS : EXIT_FAILURE;
    options.countdown = (struct countdown){0};
    if (!run_main_job(&options, true, &whole))
        return EXIT_FAILURE;
    for (int kind = COUNTDOWN_DEATH; kind < COUNTDOWN_KINDS; kind++)
        for (int process = 0; process < MAIN_JOB_PROCESSES; process++)
            if (!wanted.kind || (int)wanted.kind == kind)
                failed += count_down(
                    arguments,
                    (struct countdown){.kind = (enum countdown_kind)kind, .process = process},
                    whole.counts[kind][process]);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- arguments ---- */

static int usage(void)
{
    printf(
        "usage: argosy-sim [--seed N | --seeds A..B] [--nodes N] [--jobs N] [--steps N] [--mixed]\n"
        "                  [--types | --crowded] [--mqtt5] [--hasty] [--faults all|none|LIST] "
        "[--trace]\n"
        "                  [--hash] [--whole] [--once] [--trial all|NAME]\n"
        "       argosy-sim --countdown all|death|store|publish|allocation|KIND:PROCESS:N\n"
        "                  [--seed N] [--stride N] [--trace] [--whole]\n"
        "  LIST is comma-separated, -NAME takes one out:");
    for (int i = 0; i < fault_count(); i++)
        printf(" %s", fault_name(i));
    printf("\n  NAME of a trial:");
    for (int number = 1; number <= trial_count(); number++)
        printf(" %s", trial_name(number));
    printf("\n");
    return EXIT_USAGE;
}

static bool read_countdown(struct arguments *arguments, const char *value)
{
    struct options *options = &arguments->options;
    arguments->countdown = options->main_job = true;
    options->nodes = MAIN_JOB_NODES;
    options->jobs = MAIN_JOB_JOBS;
    return countdown_from_string(value, &options->countdown) &&
           options->countdown.process < MAIN_JOB_PROCESSES;
}

static bool read_trial(struct arguments *arguments, const char *name)
{
    arguments->trials = !strcmp(name, "all");
    arguments->options.trial = arguments->trials ? 0 : trial_from_string(name);
    return arguments->options.trial >= 0;
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
    else if (!strcmp(name, "--stride"))
        arguments->stride = atoi(value);
    else if (!strcmp(name, "--countdown"))
        return read_countdown(arguments, value);
    else if (!strcmp(name, "--trial"))
        return read_trial(arguments, value);
    else if (!strcmp(name, "--faults"))
        return faults_from_string(value, &options->faults);
    else
        return false;
    return options->nodes >= 1 && options->nodes <= NODES_MAX && options->jobs >= 1 &&
           options->jobs <= JOBS_MAX && options->steps >= 0 && arguments->stride >= 1;
}

static bool read_flag(struct arguments *arguments, const char *name)
{
    bool *flag = !strcmp(name, "--trace")   ? &arguments->options.trace
                 : !strcmp(name, "--hash")  ? &arguments->hash
                 : !strcmp(name, "--whole") ? &arguments->whole
                 : !strcmp(name, "--once")  ? &arguments->once
                 : !strcmp(name, "--mqtt5") ? &arguments->options.mqtt5
                 : !strcmp(name, "--hasty") ? &arguments->options.hasty
                 : !strcmp(name, "--mixed") ? &arguments->mixed
                                            : NULL;
    if (flag)
        *flag = true;
    else if (!strcmp(name, "--types"))
        arguments->options.kinds = KINDS_EVERY;
    else if (!strcmp(name, "--crowded"))
        arguments->options.kinds = KINDS_CROWDED;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .options = {.nodes = 3, .jobs = 4, .steps = 60}, .first = 1, .last = 1, .stride = 1};
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
    arguments.options.seed = arguments.first;
    return arguments.countdown ? run_countdown(&arguments) : run_all(&arguments);
}
