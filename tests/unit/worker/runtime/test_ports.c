/* Free ports of a range. */
#include "tests/unit/unit.h"

#include "worker/runtime/ports.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* A listener on any port; its number. */
static int64_t listen_somewhere(int *ret_fd)
{
    struct sockaddr_in place = {.sin_family = AF_INET};
    socklen_t length = sizeof(place);
    *ret_fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*ret_fd, (struct sockaddr *)&place, length), 0);
    assert_int_equal(listen(*ret_fd, 1), 0);
    assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&place, &length), 0);
    return ntohs(place.sin_port);
}

static void test_a_port_that_somebody_listens_on_is_not_given_out(void **state)
{
    (void)state;
    int fd;
    int64_t port = listen_somewhere(&fd);
    struct port_pool pool = {.range = {port, port}};
    assert_int_equal(port_pool_take(&pool, false, NULL, NULL), 0);
    assert_int_equal(port_pool_take(&pool, true, NULL, NULL), port); /* udp is another matter */
    close(fd);
    assert_int_equal(port_pool_take(&pool, false, NULL, NULL), port);
}

static bool is_first(void *context, int64_t port)
{
    return port == *(const int64_t *)context;
}

static void test_ports_are_given_out_in_turn_and_never_one_that_is_taken(void **state)
{
    (void)state;
    struct port_pool pool = {.range = {21480, 21482}};
    int64_t taken = 21481;
    assert_int_equal(port_pool_take(&pool, false, is_first, &taken), 21480);
    assert_int_equal(port_pool_take(&pool, false, is_first, &taken), 21482);
    assert_int_equal(port_pool_take(&pool, false, is_first, &taken), 21480);
}

static void test_without_a_range_any_free_port_will_do(void **state)
{
    (void)state;
    struct port_pool pool = {0};
    assert_in_range(port_pool_take(&pool, false, NULL, NULL), 1024, 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_port_that_somebody_listens_on_is_not_given_out),
        cmocka_unit_test(test_ports_are_given_out_in_turn_and_never_one_that_is_taken),
        cmocka_unit_test(test_without_a_range_any_free_port_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
