#include "docker_fixture.h"

#include "worker/runtime/docker.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct port_range docker_ports;
static char socket_path[256];

static const char *engine_socket(void)
{
    const char *direct = getenv("ARGOSY_TEST_DOCKER");
    const char *directory = getenv("ARGOSY_TEST_ENGINE");
    if (direct)
        return direct;
    if (!directory) {
        fprintf(stderr, "ARGOSY_TEST_DOCKER or ARGOSY_TEST_ENGINE must name an engine\n");
        exit(1);
    }
    char path[512];
    snprintf(path, sizeof(path), "%s/socket", directory);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%255s", socket_path) != 1) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    fclose(file);
    return socket_path;
}

static struct runtime *connect_as(struct harness *harness, const char *cluster)
{
    char node[32];
    snprintf(node, sizeof(node), "rt-%d", (int)getpid());
    struct docker_runtime_config config = {
        .socket_path = engine_socket(),
        .node = node,
        .cluster = cluster,
        .ports = docker_ports,
        .prng = &harness->prng,
    };
    struct runtime_handler handler = harness_handler(harness);
    return docker_runtime_new(&config, &handler, harness->loop);
}

struct harness *docker_connected(const char *cluster)
{
    struct harness *harness = harness_new();
    harness->runtime = connect_as(harness, cluster);
    harness_wait(harness, RUNTIME_UP, NULL);
    return harness;
}

int docker_begin(void **state)
{
    *state = docker_connected("testcluster");
    return 0;
}

int docker_end(void **state)
{
    struct harness *harness = *state;
    harness_clear(harness);
    harness_free(harness);
    return 0;
}
