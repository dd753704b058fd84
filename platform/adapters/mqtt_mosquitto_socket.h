/* Many packets a system call under libmosquitto, which reads a packet with three or four and writes
 * each with one.
 *
 *   enter -> the library's calls: its reads are served from one recv(), its writes are gathered ->
 *   leave: one send(); what the kernel does not take then waits in front of all else
 *
 * The library has no such layer, so read() and write() of this program stand before the C
 * library's, for shared libraries too; any descriptor but that of the socket that was entered goes
 * straight to the kernel. Not for TLS: OpenSSL has records of its own. */
#ifndef ARGOSY_ADAPTERS_MQTT_MOSQUITTO_SOCKET_H
#define ARGOSY_ADAPTERS_MQTT_MOSQUITTO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

struct mqtt_socket {
    int fd;      /* the library's, who closes it; MQTT_SOCKET_NONE: nothing is gathered */
    bool direct; /* what is written now is not gathered: the library closes the socket after it */
    bool has_read;
    char *left; /* what the kernel has not taken yet */
    size_t left_length;
};

enum { MQTT_SOCKET_NONE = -1 };

/* From now on the calling thread's reads and writes on its descriptor are served as said above; it
 * is read at most once until it is left. A socket may be entered again before it is left: what is
 * gathered is then sent by the outermost leave. Returns what is to be given to that. */
struct mqtt_socket *mqtt_socket_enter(struct mqtt_socket *socket);

/* Sends what was gathered. 0, or the errno of a socket that has failed. */
int mqtt_socket_leave(struct mqtt_socket *socket, struct mqtt_socket *outer);

/* Forgets descriptor and bytes, entered or not. */
void mqtt_socket_reset(struct mqtt_socket *socket);

#endif
