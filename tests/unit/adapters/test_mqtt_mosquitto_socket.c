#include "platform/adapters/mqtt_mosquitto_socket.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    struct mqtt_socket ours;
    int theirs;
};

static struct pair pair_open(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    return (struct pair){.ours.fd = ends[0], .theirs = ends[1]};
}

static void pair_close(struct pair *pair)
{
    close(pair->ours.fd);
    close(pair->theirs);
    mqtt_socket_reset(&pair->ours);
    assert_int_equal(pair->ours.fd, MQTT_SOCKET_NONE);
}

static void assert_empty(int fd)
{
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
}

static void what_is_written_goes_when_the_socket_is_left(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    char got[8];
    struct mqtt_socket *outer = mqtt_socket_enter(&pair.ours);
    assert_int_equal(write(pair.ours.fd, "one", 3), 3);
    struct mqtt_socket *inner = mqtt_socket_enter(&pair.ours);
    assert_int_equal(write(pair.ours.fd, "two", 3), 3);
    assert_int_equal(mqtt_socket_leave(&pair.ours, inner), 0);
    assert_empty(pair.theirs);
    assert_int_equal(mqtt_socket_leave(&pair.ours, outer), 0);
    assert_int_equal(recv(pair.theirs, got, sizeof got, 0), 6);
    assert_memory_equal(got, "onetwo", 6);
    pair_close(&pair);
}

static void what_comes_is_read_at_once_and_no_more_before_the_socket_is_left(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    char got[8];
    assert_int_equal(write(pair.theirs, "abcd", 4), 4);
    struct mqtt_socket *outer = mqtt_socket_enter(&pair.ours);
    assert_int_equal(read(pair.ours.fd, got, 1), 1);
    assert_int_equal(write(pair.theirs, "e", 1), 1);
    assert_int_equal(read(pair.ours.fd, got + 1, 7), 3);
    assert_memory_equal(got, "abcd", 4);
    assert_int_equal(read(pair.ours.fd, got, 1), -1);
    assert_int_equal(errno, EAGAIN);
    mqtt_socket_leave(&pair.ours, outer);
    outer = mqtt_socket_enter(&pair.ours);
    assert_int_equal(read(pair.ours.fd, got, 8), 1);
    mqtt_socket_leave(&pair.ours, outer);
    pair_close(&pair);
}

static void an_end_of_the_connection_is_read_as_such(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    char byte;
    shutdown(pair.theirs, SHUT_WR);
    struct mqtt_socket *outer = mqtt_socket_enter(&pair.ours);
    assert_int_equal(read(pair.ours.fd, &byte, 1), 0);
    mqtt_socket_leave(&pair.ours, outer);
    pair_close(&pair);
}

static void a_socket_that_has_failed_is_told_when_it_is_left(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    shutdown(pair.theirs, SHUT_RDWR);
    struct mqtt_socket *outer = mqtt_socket_enter(&pair.ours);
    assert_int_equal(write(pair.ours.fd, "x", 1), 1);
    assert_int_equal(mqtt_socket_leave(&pair.ours, outer), EPIPE);
    pair_close(&pair);
}

static void other_descriptors_are_not_gathered(void **state)
{
    (void)state;
    struct pair pair = pair_open(), other = pair_open();
    char byte;
    struct mqtt_socket *outer = mqtt_socket_enter(&pair.ours);
    assert_int_equal(write(other.ours.fd, "x", 1), 1);
    assert_int_equal(read(other.theirs, &byte, 1), 1);
    mqtt_socket_leave(&pair.ours, outer);
    assert_int_equal(write(pair.ours.fd, "y", 1), 1); /* it was left */
    assert_int_equal(read(pair.theirs, &byte, 1), 1);
    pair_close(&pair);
    pair_close(&other);
}

static void another_socket_may_be_entered_while_one_is_read(void **state)
{
    (void)state;
    struct pair pair = pair_open(), other = pair_open();
    char got[4];
    assert_int_equal(write(pair.theirs, "ab", 2), 2);
    assert_int_equal(write(other.theirs, "z", 1), 1);
    struct mqtt_socket *outer = mqtt_socket_enter(&pair.ours);
    assert_int_equal(read(pair.ours.fd, got, 1), 1);
    assert_int_equal(write(pair.ours.fd, "1", 1), 1);
    struct mqtt_socket *first = mqtt_socket_enter(&other.ours);
    assert_int_equal(recv(pair.theirs, got, 1, 0), 1);
    assert_int_equal(write(other.ours.fd, "2", 1), 1);
    assert_int_equal(read(other.ours.fd, got, 1), 1);
    assert_int_equal(got[0], 'z');
    assert_int_equal(mqtt_socket_leave(&other.ours, first), 0);
    assert_int_equal(recv(other.theirs, got, 1, 0), 1);
    assert_int_equal(read(pair.ours.fd, got, 4), 1);
    assert_int_equal(got[0], 'b');
    mqtt_socket_leave(&pair.ours, outer);
    pair_close(&pair);
    pair_close(&other);
}

static void a_direct_write_comes_after_what_was_gathered_and_at_once(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    char got[4];
    struct mqtt_socket *outer = mqtt_socket_enter(&pair.ours);
    assert_int_equal(write(pair.ours.fd, "1", 1), 1);
    pair.ours.direct = true;
    assert_int_equal(write(pair.ours.fd, "2", 1), 1);
    assert_int_equal(recv(pair.theirs, got, sizeof got, 0), 2);
    assert_memory_equal(got, "12", 2);
    mqtt_socket_leave(&pair.ours, outer);
    pair_close(&pair);
}

/* Numbers in a row, of which the kernel takes as many as it likes: none is lost, none overtakes. */
static void what_the_kernel_does_not_take_waits_in_its_place(void **state)
{
    (void)state;
    enum { NUMBERS = 400 * 1000 };
    struct pair pair = pair_open();
    unsigned said = 0, heard = 0;
    bool was_full = false;
    while (heard < NUMBERS) {
        struct mqtt_socket *outer = mqtt_socket_enter(&pair.ours);
        while (said < NUMBERS && write(pair.ours.fd, &said, sizeof said) == sizeof said)
            said++;
        assert_int_equal(mqtt_socket_leave(&pair.ours, outer), 0);
        was_full = was_full || pair.ours.left_length;
        for (unsigned got; recv(pair.theirs, &got, sizeof got, 0) == sizeof got; heard++)
            assert_int_equal(got, heard);
    }
    assert_true(was_full);
    assert_int_equal(pair.ours.left_length, 0);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_goes_when_the_socket_is_left),
        cmocka_unit_test(what_comes_is_read_at_once_and_no_more_before_the_socket_is_left),
        cmocka_unit_test(an_end_of_the_connection_is_read_as_such),
        cmocka_unit_test(a_socket_that_has_failed_is_told_when_it_is_left),
        cmocka_unit_test(other_descriptors_are_not_gathered),
        cmocka_unit_test(another_socket_may_be_entered_while_one_is_read),
        cmocka_unit_test(a_direct_write_comes_after_what_was_gathered_and_at_once),
        cmocka_unit_test(what_the_kernel_does_not_take_waits_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
