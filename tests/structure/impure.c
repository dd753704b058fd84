/* Reads a clock and logs: what the purity check must find. */
#include "platform/base/log.h"

#include <time.h>

long impure(void);
long impure(void)
{
    log_info("impure");
    return (long)time(NULL);
}
