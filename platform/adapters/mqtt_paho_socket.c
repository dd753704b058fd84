/* Two measures against delay, both for Paho 1.3.12.
 *
 * It never sets TCP_NODELAY. And whenever nothing has come for a second, its receiving thread calls
 * usleep(100000), deaf to the socket meanwhile: one message in eleven that follow a silence would
 * wait up to 100 ms. So this program has an usleep of its own, which takes the place of the C
 * library's for shared libraries too, and which data on the bus's socket ends early. */
#include "platform/adapters/mqtt_paho_socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static atomic_int nap_ends_by = -1; /* a socket */

static in_port_t peer_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &length))
        return 0;
    if (address.ss_family == AF_INET)
        return ((struct sockaddr_in *)&address)->sin_port;
    return address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port : 0;
}

void mqtt_paho_socket_adopt(const char *uri)
{
    const char *colon = strrchr(uri, ':');
    in_port_t port = htons((uint16_t)atoi(colon + 1));
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        int fd = atoi(entry->d_name), on = 1;
        if (fd <= 2 || peer_port(fd) != port)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        atomic_store(&nap_ends_by, fd);
    }
    closedir(directory);
}

void mqtt_paho_socket_forget(void)
{
    atomic_store(&nap_ends_by, -1);
}

/* POSIX lets it end early, and return 0 or -1 then; nobody here waits with it for anything else. */
int usleep(useconds_t delay_us)
{
    struct pollfd socket = {.fd = atomic_load(&nap_ends_by), .events = POLLIN};
    struct timespec delay = {.tv_sec = delay_us / 1000000,
                             .tv_nsec = (long)(delay_us % 1000000) * 1000};
    ppoll(&socket, 1, &delay, NULL); /* a negative descriptor is passed over */
    return 0;
}
