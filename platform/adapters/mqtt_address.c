#include "platform/adapters/mqtt_address.h"

#include "platform/base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
