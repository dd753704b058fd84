/* A real engine for a test: its socket is $ARGOSY_TEST_DOCKER, or is named by the file `socket` in
 * the directory $ARGOSY_TEST_ENGINE (the suite's fixture). */
#ifndef ARGOSY_TESTS_RUNTIME_DOCKER_FIXTURE_H
#define ARGOSY_TESTS_RUNTIME_DOCKER_FIXTURE_H

#include "harness.h"
#include "worker/runtime/ports.h"

/* Of the workers that follow; {0, 0} at first. */
extern struct port_range docker_ports;
/* One more worker of this test's node on the engine. */
struct harness *docker_connected(const char *cluster);
/* Setup: a worker of "testcluster". Teardown: everything of this node is ended and removed. */
int docker_begin(void **state);
int docker_end(void **state);
#define DOCKER_TEST(test) cmocka_unit_test_setup_teardown(test, docker_begin, docker_end)

#endif
