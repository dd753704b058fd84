/* The verbs of fleet_raw; `words` are those after the verb. What each does is in raw_main.c. */
#ifndef ARGOSY_TESTS_BENCH_RAW_VERBS_H
#define ARGOSY_TESTS_BENCH_RAW_VERBS_H

#include "tests/bench/raw.h"

#include <stdio.h>

enum { RAW_TOPIC_BYTES = 512 };

int verb_submit(char **words);
int verb_null_manager(char **words);
int verb_null_workers(char **words);
int verb_drain(char **words);
int verb_parse(char **words);
int verb_refill(char **words);
int verb_refill_heard(char **words);
int verb_say(char **words);
int verb_record(char **words);
int verb_beat(char **words);

/* Of a file of messages, one: topic's length, payload's length (both uint32_t), topic, payload. */
void raw_file_put(FILE *file, const struct raw_message *message);
/* The next one; `payload` grows as it must. False: there is none. */
bool raw_file_get(FILE *file, char topic[RAW_TOPIC_BYTES], struct raw_bytes *payload);

#endif
