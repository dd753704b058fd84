#include "schema/field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *words_to_string(const struct words *words, int value)
{
    size_t place = (size_t)value - 1; /* most tables count from 1 */
    if (!value)
        return NULL;
    if (place < words->count && words->items[place].value == value)
        return words->items[place].text;
    for (size_t i = 0; i < words->count; i++)
        if (words->items[i].value == value)
            return words->items[i].text;
    return NULL;
}

int words_from_string(const struct words *words, const char *text)
{
    for (size_t i = 0; i < words->count; i++)
        if (words->items[i].text[0] == text[0] && !strcmp(words->items[i].text, text))
            return words->items[i].value;
    return 0;
}

const struct field *record_field(const struct record *record, const char *key)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].key[0] == key[0] && !strcmp(record->fields[i].key, key))
            return &record->fields[i];
    return NULL;
}

void field_number_format(enum field_kind kind, int64_t value, char ret_text[QUANTITY_TEXT_LENGTH])
{
    if (kind == FIELD_DURATION)
        duration_format(value, ret_text);
    else if (kind == FIELD_SIZE)
        size_format(value, ret_text);
    else if (kind == FIELD_CPU)
        cpu_format(value, ret_text);
    else
        snprintf(ret_text, QUANTITY_TEXT_LENGTH, "%lld", (long long)value);
}

static void field_init(const struct field *field, void *member)
{
    switch (field->kind) {
    case FIELD_INT:
    case FIELD_TRISTATE:
    case FIELD_SIZE:
    case FIELD_DURATION:
    case FIELD_CPU:
    case FIELD_TIME:
    case FIELD_PORT:
        *(int64_t *)member = field->fallback;
        break;
    case FIELD_BOOL:
        *(bool *)member = field->fallback;
        break;
    case FIELD_NUMBER:
        *(double *)member = (double)NAN;
        break;
    case FIELD_ENUM:
        *(int *)member = (int)field->fallback;
        break;
    case FIELD_RECORD:
        record_init(field->record, member);
        break;
    case FIELD_STRING:
    case FIELD_NAME:
    case FIELD_NODE_ID:
    case FIELD_TASK_ID:
    case FIELD_TOKEN:
    case FIELD_STRINGS:
    case FIELD_MAP:
    case FIELD_INT_MAP:
    case FIELD_NUMBER_MAP:
    case FIELD_RECORDS:
    case FIELD_OBJECT_OPTIONAL:
        break; /* zeros */
    }
}

void record_init(const struct record *record, void *ret_value)
{
    memset(ret_value, 0, record->size);
    for (size_t i = 0; i < record->field_count; i++)
        field_init(&record->fields[i], (char *)ret_value + record->fields[i].offset);
}
