#include "platform/adapters/mqtt_paho_socket.h"

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* The two ends of a connection on loopback; returns the listener's port. */
static int connection_open(int *ret_ours, int *ret_theirs)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    *ret_ours = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(*ret_ours, (struct sockaddr *)&address, length), 0);
    *ret_theirs = accept(listener, NULL, NULL);
    close(listener);
    return ntohs(address.sin_port);
}

static int no_delay(int fd)
{
    int value = 0;
    socklen_t length = sizeof value;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length), 0);
    return value != 0;
}

static void an_adopted_connection_sends_at_once_and_ends_naps(void **state)
{
    (void)state;
    int ours, theirs;
    char uri[64];
    snprintf(uri, sizeof uri, "tcp://[::1]:%d", connection_open(&ours, &theirs));
    assert_false(no_delay(ours));
    mqtt_paho_socket_adopt(uri);
    assert_true(no_delay(ours));
    assert_false(no_delay(theirs)); /* its peer has another port */
    assert_int_equal(write(theirs, "x", 1), 1);
    usleep(3600u * 1000000u); /* would not end before the suite's time-out */
    close(ours);
    close(theirs);
}

static void without_a_connection_naps_end_too(void **state)
{
    (void)state;
    mqtt_paho_socket_forget();
    assert_int_equal(usleep(1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_adopted_connection_sends_at_once_and_ends_naps),
        cmocka_unit_test(without_a_connection_naps_end_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
