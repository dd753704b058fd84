/* The small texts inside expressions. Private to schema/. */
#ifndef ARGOSY_SCHEMA_EXPRESSION_TEXT_H
#define ARGOSY_SCHEMA_EXPRESSION_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Of the name of a label or attribute. */
bool is_key_character(char character);
/* <0, 0, >0: as numbers if both are decimals ("12", "-0.5", "1e3"), else as texts. Numbers are
 * compared digit by digit, so that none is too long and none is rounded. */
int values_compare(const char *a, const char *b);
/* Moves *at to the first item before the next comma or `end`; its length without spaces around. */
size_t list_item(const char **at, const char *end);
/* Whether an item of "a, b,c" is this. */
bool list_contains(const char *list, const char *item);

#endif
