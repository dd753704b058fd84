/* Small texts for people. */
#ifndef ARGOSY_CLI_FORMAT_H
#define ARGOSY_CLI_FORMAT_H

#include "platform/base/arena.h"
#include "schema/documents.h"

/* Milliseconds since 1970. */
int64_t format_now_ms(void);
/* "42s", "3m10s", "5h2m", "12d4h"; "-" for what never happened (then_ms 0). */
char *format_age(struct arena *arena, int64_t then_ms, int64_t now_ms);
/* "192.0.2.7:8080, 192.0.2.7:9000/udp": where the attempt's ports are reached from outside;
 * ":8080" when the node has told no address; the container's own address when no port is
 * published; NULL when there is none. */
const char *format_address(struct arena *arena, const char *node_address,
                           const struct observed_attempt *attempt);
/* "rack=r1, site=graz"; "-" when empty. */
const char *format_labels(struct arena *arena, const struct string_map *labels);
const char *format_list(struct arena *arena, const struct string_list *list);
/* "3 running, 1 pending": the counts that are not zero; "" when all are. */
const char *format_counts(struct arena *arena, const struct state_counts *counts);

/* One word each, as on the wire. */
const char *job_state_word(int state);
const char *job_type_word(int type);

#endif
