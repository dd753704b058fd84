#include "platform/adapters/random_system.h"

#include "platform/base/mem.h"

#include <sys/random.h>

uint64_t random_system_seed(void)
{
    uint64_t seed;
    ASSERT(getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed);
    return seed;
}
