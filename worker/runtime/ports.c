#include "worker/runtime/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

/* Binds `port` (0: any) on all addresses for a moment. The port, or 0 when it is in use. */
static int64_t try_port(int64_t port, bool udp)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof(place);
    int64_t found = 0;
    int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    /* A port whose last connections are still fading away is free for the next listener. */
    int on = 1;
    if (!udp)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&place, sizeof(place)) == 0 &&
        getsockname(fd, (struct sockaddr *)&place, &length) == 0)
        found = ntohs(place.sin_port);
    close(fd);
    return found;
}

int64_t port_pool_take(struct port_pool *pool, bool udp, bool (*taken)(void *context, int64_t port),
                       void *context)
{
    const struct port_range *range = &pool->range;
    if (range->first <= 0 || range->last < range->first)
        return try_port(0, udp);
    for (int64_t tries = range->last - range->first + 1; tries > 0; tries--) {
        int64_t port =
            pool->next >= range->first && pool->next <= range->last ? pool->next : range->first;
        pool->next = port + 1;
        if (!(taken && taken(context, port)) && try_port(port, udp))
            return port;
    }
    return 0;
}
