/* A store behind the port that is written by a thread of its own: a sync that takes milliseconds,
 * or on a card seconds, does not keep the loop from its other work. */
#ifndef ARGOSY_ADAPTERS_STORE_BACKGROUND_H
#define ARGOSY_ADAPTERS_STORE_BACKGROUND_H

#include "platform/ports/store.h"

struct loop;

/* Takes `inner` over, which has to call `written` from within, on whatever thread. `written` of the
 * new store is called on the loop, or from settle(). Aborts when the system gives no thread (start
 * of the process). */
struct store *background_store_new(struct store *inner, struct loop *loop);

#endif
