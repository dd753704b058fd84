#include "platform/adapters/mqtt_address.h"

#include "platform/base/mem.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int mqtt_address_parse(const char *text, char **ret_uri, struct err *err)
{
    bool tls = !strncmp(text, "ssl://", 6) || !strncmp(text, "mqtts://", 8);
    const char *scheme = strstr(text, "://");
    bool known = !scheme || tls || !strncmp(text, "tcp://", 6) || !strncmp(text, "mqtt://", 7);
    const char *host = scheme ? scheme + 3 : text;
    const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    const char *colon = strchr(bracket ? bracket : host, ':');
    size_t length = colon ? (size_t)(colon - host) : strlen(host);
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : tls ? 8883 : 1883;
    if (!known || !length || (colon && (end == colon + 1 || *end)) || port < 1 || port > 65535 ||
        (*host == '[' && !bracket))
        return err_set(err, ERR_INVALID,
                       "\"%s\" is no broker address; write host:port or ssl://host:port", text);
    *ret_uri = mem_printf("%s://%.*s:%ld", tls ? "ssl" : "tcp", (int)length, host, port);
    return 0;
}

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

void mqtt_set_nodelay(const char *uri)
{
    const char *colon = strrchr(uri, ':');
    in_port_t port = htons((uint16_t)atoi(colon + 1));
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        int fd = atoi(entry->d_name), on = 1;
        if (fd > 2 && peer_port(fd) == port)
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    closedir(directory);
}
