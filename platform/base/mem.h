/* Memory. Core state is small and bounded by named limits, so running out while it grows is
 * answered by a crash and a restart from the store (crash-only): mem_* never return NULL. Memory
 * whose size a peer decides (a decoded message) comes from an arena with a limit, which does return
 * NULL, and the message is refused. */
#ifndef ARGOSY_BASE_MEM_H
#define ARGOSY_BASE_MEM_H

#include <stddef.h>

/* Zeroed memory, aborts when there is none. Freed by free(). */
void *mem_alloc(size_t size);
/* Resizes to count * size bytes, checks the product, aborts when there is none. */
void *mem_resize(void *memory, size_t count, size_t size);
char *mem_strdup(const char *text);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* _cleanup_free_ char *text = …; frees at the end of the scope. */
void mem_cleanup(void *pointer_to_pointer);
#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(mem_cleanup)

/* Returns the pointer and leaves NULL behind: hands ownership out of a cleanup variable. */
#define mem_steal(pointer)                                       \
    ({                                                           \
        __typeof__(pointer) *mem_steal_from_ = &(pointer);       \
        __typeof__(pointer) mem_steal_value_ = *mem_steal_from_; \
        *mem_steal_from_ = NULL;                                 \
        mem_steal_value_;                                        \
    })

/* Programmer errors: always on, whatever NDEBUG says. */
void assert_failed(const char *expression, const char *file, int line)
    __attribute__((noreturn, cold));
#define ASSERT(expression) ((expression) ? (void)0 : assert_failed(#expression, __FILE__, __LINE__))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
