/* A small seeded generator for pure code: xoshiro256** (Blackman and Vigna, "Scrambled Linear
 * Pseudorandom Number Generators", 2021), seeded by splitmix64. Not for secrets. */
#ifndef ARGOSY_BASE_PRNG_H
#define ARGOSY_BASE_PRNG_H

#include <stddef.h>
#include <stdint.h>

struct prng {
    uint64_t state[4];
};

void prng_init(struct prng *prng, uint64_t seed);
uint64_t prng_next(struct prng *prng);
/* Uniform in [0, bound), 0 when bound is 0. */
uint64_t prng_below(struct prng *prng, uint64_t bound);
/* Writes `length` characters of lower-case base32 (a-z2-7) and a NUL. */
void prng_base32(struct prng *prng, char *ret_text, size_t length);

#endif
