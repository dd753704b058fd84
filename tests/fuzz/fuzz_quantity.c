/* Quantities and the small texts of a job specification. */
#include "schema/job_spec.h"
#include "schema/job_spec_text.h"
#include "schema/quantity.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void try_quantities(const char *text)
{
    int64_t value, again;
    const char *hint = NULL;
    char printed[QUANTITY_TEXT_LENGTH];
    if (duration_parse(text, &value, &hint)) {
        duration_format(value, printed);
        ASSERT(duration_parse(printed, &again, &hint) && again == value);
    }
    if (size_parse(text, &value, &hint)) {
        ASSERT(value >= 0 && value < (int64_t)1 << 53);
        size_format(value, printed);
    }
    if (cpu_parse(text, &value, &hint)) {
        cpu_format(value, printed);
        ASSERT(cpu_parse(printed, &again, &hint) && again == value);
    }
    ASSERT(hint);
}

static void try_small_texts(const char *text)
{
    struct port_spec port;
    struct volume_spec volume;
    int64_t number;
    const char *path;
    ASSERT(!port_spec_parse(text, &port) || (port.container > 0 && port.container < 65536));
    ASSERT(!volume_spec_parse(text, &volume) || volume.target[0] == '/');
    ASSERT(!health_target_parse(text, true, &number, &path) || path[0] == '/');
    ASSERT(!health_target_parse(text, false, &number, &path) || number > 0);
    ASSERT(!signal_name(text) == !signal_from_string(text));
    device_text_is_valid(text);
    ASSERT(glob_match("*", text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = fuzz_text(data, size);
    try_quantities(text);
    try_small_texts(text);
    return 0;
}
