#include "worker/runtime/word_list.h"

#include "platform/base/buf.h"
#include "platform/base/mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void word_list_add(struct word_list *list, const char *format, ...)
{
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    list->items = mem_resize(list->items, list->count + 2, sizeof(*list->items));
    list->items[list->count++] = mem_strdup(buf_text(&text));
    list->items[list->count] = NULL;
}

void word_list_set(struct word_list *list, const char *key, const char *value)
{
    size_t length = strlen(key);
    for (size_t i = 0; i < list->count; i++) {
        if (strncmp(list->items[i], key, length) == 0 && list->items[i][length] == '=') {
            free(list->items[i]);
            list->items[i] = mem_printf("%s=%s", key, value);
            return;
        }
    }
    word_list_add(list, "%s=%s", key, value);
}

void word_list_release(struct word_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = WORD_LIST_EMPTY;
}
