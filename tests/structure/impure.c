/* Reads a clock: what the purity check must find. */
#include <time.h>

long impure(void);
long impure(void)
{
    return (long)time(NULL);
}
