/* The ledger: the one commit point. A shell notes what a batch changes; a commit writes all of it
 * in one transaction, and only after that publishes and answers.
 *
 *   note, note, note -> commit -> stored -> publish documents (retained) -> publish messages
 *   (answers, events)
 *   the store fails  -> nothing is published; all notes stay and are tried again at the next commit
 *
 * What is noted while a commit is under way belongs to the next one. Documents are published with
 * the bytes that were stored. Of what is noted for one commit the last note of a topic wins. */
#ifndef ARGOSY_PLATFORM_LEDGER_H
#define ARGOSY_PLATFORM_LEDGER_H

#include "platform/base/buf.h"
#include "platform/ports/bus.h"
#include "platform/ports/store.h"

#include <stdbool.h>
#include <stddef.h>

struct ledger;

struct ledger *ledger_new(struct store *store, struct bus *bus);
/* Waits for what is under way; nobody is told. Accepts NULL. */
void ledger_free(struct ledger *ledger);

/* Stores under STORE_DOCUMENTS and publishes retained, QoS 1. */
void ledger_document(struct ledger *ledger, const char *topic, const void *bytes, size_t length);
/* Publishes retained without storing: derived documents (status). */
void ledger_derived(struct ledger *ledger, const char *topic, const void *bytes, size_t length);
/* Publishes the empty retained message, after what is noted of the topic and not stored yet: a
 * tombstone must not get lost to its own clean-up. */
void ledger_clear(struct ledger *ledger, const char *topic);
/* Stores without publishing (an accepted assignment, a token, meta). */
void ledger_store(struct ledger *ledger, enum store_table table, const char *key, const void *bytes,
                  size_t length);
/* Removes from the store; with `clear`, also publishes the empty retained message. */
void ledger_remove(struct ledger *ledger, enum store_table table, const char *key, bool clear);
/* A message to publish after the commit; copied. */
void ledger_message(struct ledger *ledger, const struct bus_publication *publication);

/* True when something was noted and is not under way. */
bool ledger_is_dirty(const struct ledger *ledger);
/* Of the last commit the bus did not take everything. */
bool ledger_was_refused(const struct ledger *ledger);
/* Documents and records that are noted or under way. */
size_t ledger_count(const struct ledger *ledger);

/* Stored and published, or the store's error. */
typedef void ledger_committed_fn(void *context, int result, const struct err *err);
/* One transaction, then publishing, then `committed`: from within, or later where the store takes
 * its time. Without store notes there is no transaction. Messages that the bus refuses (outbox
 * full) stay noted and are offered again. None may be under way. */
void ledger_commit(struct ledger *ledger, ledger_committed_fn *committed, void *context);
bool ledger_is_committing(const struct ledger *ledger);
/* Waits for the commit that is under way; its `committed` is called from within. */
void ledger_settle(struct ledger *ledger);
/* A commit that was waited for: its result. */
int ledger_commit_now(struct ledger *ledger, struct err *err);
/* After a connect: publishes every stored document for which `is_own(context, topic)` again. */
int ledger_republish(struct ledger *ledger, bool (*is_own)(void *context, const char *topic),
                     void *context, struct err *err);

#endif
