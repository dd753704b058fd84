/* A growing list of words, as exec wants it. */
#ifndef ARGOSY_WORKER_RUNTIME_WORD_LIST_H
#define ARGOSY_WORKER_RUNTIME_WORD_LIST_H

#include <stddef.h>

struct word_list {
    char **items; /* ended by NULL; NULL when it is empty */
    size_t count;
};

#define WORD_LIST_EMPTY ((struct word_list){0})

void word_list_add(struct word_list *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "key=value", in place of an entry with that key. */
void word_list_set(struct word_list *list, const char *key, const char *value);
void word_list_release(struct word_list *list);
#define _cleanup_word_list_ __attribute__((cleanup(word_list_release)))

#endif
