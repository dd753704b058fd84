/* The zones port from the system's zone files: below TZDIR, else /usr/share/zoneinfo. */
#ifndef ARGOSY_ADAPTERS_ZONEINFO_H
#define ARGOSY_ADAPTERS_ZONEINFO_H

#include "platform/ports/zones.h"

extern struct zones zoneinfo;

#endif
