/* An engine that says what a test wants, on the test's own loop: for what a real one does seldom.
 */
#ifndef ARGOSY_TESTS_RUNTIME_FAKE_ENGINE_H
#define ARGOSY_TESTS_RUNTIME_FAKE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct fake_engine;

struct fake_engine *fake_engine_new(struct loop *loop);
void fake_engine_free(struct fake_engine *engine);
const char *fake_engine_socket(const struct fake_engine *engine);

/* To requests whose first line contains `words`, from the next on, `reply` is sent (the text after
 * "HTTP/1.1 ": status line, headers, body); kept by pointer. NULL: the connection is closed without
 * a word. With `stays` it stays open after the reply. Later rules count before earlier ones;
 * without a rule: 404. */
void fake_engine_on(struct fake_engine *engine, const char *words, const char *reply, bool stays);
/* Writes to every connection that stays open; closes them all. */
void fake_engine_say(struct fake_engine *engine, const char *text);
void fake_engine_hang_up(struct fake_engine *engine);
/* Closes the newest. */
void fake_engine_hang_up_last(struct fake_engine *engine);
/* How many requests had these words in their first line. */
size_t fake_engine_count(const struct fake_engine *engine, const char *words);

#endif
