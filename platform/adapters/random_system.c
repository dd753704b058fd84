#include "platform/adapters/random_system.h"

#include "platform/base/mem.h"

#include <sys/random.h>

uint64_t random_system_seed(void)
{
    uint64_t seed;
    ssize_t got = getrandom(&seed, sizeof seed, 0);
    ASSERT(got == (ssize_t)sizeof seed);
    return seed;
}
