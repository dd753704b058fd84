#include "platform/adapters/bus_mqtt.h"
#include "tests/bus/tests.h"
#include "tests/unit/unit.h"

#include <signal.h>

static enum mqtt_protocol protocol_3 = MQTT_PROTOCOL_3;
static enum mqtt_protocol protocol_5 = MQTT_PROTOCOL_5;
static enum mqtt_protocol protocol_auto = MQTT_PROTOCOL_AUTO;

#ifdef TEST_CLIENT_paho
/* Paho leaks a topic for each publication that is in flight when its client is destroyed. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libpaho-mqtt3as";
}
#endif

int main(int count, char **words)
{
#define WITH_3(name)    {#name " (3.1.1)", name, NULL, NULL, &protocol_3},
#define WITH_5(name)    {#name " (5)", name, NULL, NULL, &protocol_5},
#define WITH_AUTO(name) {#name " (auto)", name, NULL, NULL, &protocol_auto},
    const struct CMUnitTest tests[] = {
        BUS_TESTS_BOTH(WITH_3) BUS_TESTS_V3(WITH_3) BUS_TESTS_BOTH(WITH_5) BUS_TESTS_V5(WITH_5)
            BUS_TESTS_AUTO(WITH_AUTO) BUS_TESTS_OF_CLIENT(WITH_3) BUS_TESTS_OF_CLIENT(WITH_5)};
    signal(SIGPIPE, SIG_IGN);
    if (count > 1)
        cmocka_set_test_filter(words[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
