#include "manager/scheduler/fixed.h"

/* 10^(2^-k) for k = 1 … 28. */
static const uint64_t roots_of_10[FIXED_BITS] = {
    848867446, 477353244, 357964434, 309984429, 288462842, 278269033, 273308022,
    270860782, 269645392, 269039744, 268737430, 268586401, 268510918, 268473184,
    268454319, 268444888, 268440172, 268437814, 268436635, 268436045, 268435751,
    268435603, 268435530, 268435493, 268435474, 268435465, 268435461, 268435458,
};

/* L^(2^-k) for k = 0 … 28, L = 1.53960071783900203869 (Lieb, "Residual entropy of square ice",
 * 1967): the base for which E-PVM's bound is proved (Amir et al., "An Opportunity Cost Approach for
 * Job Assignment in a Scalable Computing Cluster", 2000). */
static const uint64_t roots_of_lieb[FIXED_BITS + 1] = {
    413283421, 333076453, 299014263, 283312601, 275773725, 272079851, 270251511, 269341953,
    268888322, 268661794, 268548601, 268492023, 268463738, 268449597, 268442526, 268438991,
    268437224, 268436340, 268435898, 268435677, 268435566, 268435511, 268435484, 268435470,
    268435463, 268435459, 268435458, 268435457, 268435456};

enum { LIEB_EXPONENT_MAX = 8 };

int64_t fixed_fraction(int64_t part, int64_t whole)
{
    if (whole <= 0 || part <= 0)
        return 0;
    /* Bytes times 2^28 do not fit into 64 bits above 2^35: what is cut off there is below the
     * result's last bit. */
    uint64_t larger = (uint64_t)(part > whole ? part : whole);
    int excess = 64 - __builtin_clzll(larger) - 35;
    int shift = excess > 0 ? excess : 0;
    uint64_t divisor = (uint64_t)whole >> shift;
    return (int64_t)((((uint64_t)part >> shift) << FIXED_BITS) / (divisor ? divisor : 1));
}

/* The product of the roots that the fraction's bits name, largest first. `roots[0]` is the square
 * root. */
static uint64_t power(const uint64_t *roots, uint64_t fraction)
{
    uint64_t result = (uint64_t)FIXED_ONE;
    while (fraction) {
        int bit = 63 - __builtin_clzll(fraction);
        result = (result * roots[FIXED_BITS - 1 - bit]) >> FIXED_BITS;
        fraction ^= (uint64_t)1 << bit;
    }
    return result;
}

int64_t fixed_power_of_10(int64_t x)
{
    if (x <= 0)
        return FIXED_ONE;
    return x >= FIXED_ONE ? 10 * FIXED_ONE : (int64_t)power(roots_of_10, (uint64_t)x);
}

int64_t fixed_power_of_lieb(int64_t x)
{
    if (x <= 0)
        return FIXED_ONE;
    if (x > LIEB_EXPONENT_MAX * FIXED_ONE)
        x = LIEB_EXPONENT_MAX * FIXED_ONE;
    uint64_t result = power(roots_of_lieb + 1, (uint64_t)x & ((uint64_t)FIXED_ONE - 1));
    for (int64_t whole = x >> FIXED_BITS; whole; whole--)
        result = (result * roots_of_lieb[0]) >> FIXED_BITS;
    return (int64_t)result;
}

int64_t fixed_free_power(int64_t used, int64_t total)
{
    return fixed_power_of_10(fixed_fraction(total - used, total));
}

int64_t fixed_asked_factor(int64_t asked, int64_t total)
{
    return fixed_power_of_10(FIXED_ONE - fixed_fraction(asked, total)) / 10;
}

int64_t part_spread_target(int64_t percent, int64_t count, int64_t used)
{
    int64_t desired = percent * count; /* hundredths */
    if (desired <= 0)
        return -PART_ONE;
    return (desired - 100 * (used + 1)) * PART_ONE / desired;
}

int64_t part_spread_even(int64_t here, int64_t least, int64_t most)
{
    if (!most)
        return 0; /* nothing is placed anywhere */
    if (here != least)
        return least ? (least - here) * PART_ONE / least : -PART_ONE;
    if (least == most)
        return -PART_ONE;
    return least ? (most - least) * PART_ONE / least : PART_ONE;
}

int64_t cost_epvm(int64_t used, int64_t asked, int64_t total)
{
    return fixed_power_of_lieb(fixed_fraction(used + asked, total)) -
           fixed_power_of_lieb(fixed_fraction(used, total));
}
