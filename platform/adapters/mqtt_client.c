#include "platform/adapters/mqtt_client.h"

#include "platform/base/mem.h"

const char *mqtt_refusal_text(int code)
{
    static const char *const texts[] = {
        [1] = "it does not speak this version of MQTT",
        [2] = "it refuses the client id",
        [3] = "it is not available",
        [4] = "bad user name or password",
        [5] = "not authorised",
    };
    return code >= 1 && code < (int)ARRAY_LENGTH(texts) ? texts[code] : NULL;
}
