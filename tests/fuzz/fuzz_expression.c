/* Constraints and affinities: the first line is the expression, the rest the property. */
#include "platform/base/err.h"
#include "schema/expression.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static bool is_negation(const struct expression *expression)
{
    return expression->operation == EXPRESSION_NOT_EQUAL ||
           expression->operation == EXPRESSION_IS_NOT_SET;
}

static void try_expression(const char *text, const char *property)
{
    struct arena arena = {.limit_bytes = 1 << 20};
    struct expression expression, again;
    struct expression_problem problem = {.offset = SIZE_MAX};
    int error = expression_parse(text, &arena, &expression, &problem);
    if (error == -ERR_INVALID)
        ASSERT(problem.offset <= strlen(text) && problem.message[0] && problem.hint[0]);
    if (!error) {
        ASSERT(expression_holds(&expression, NULL) == is_negation(&expression));
        bool holds = expression_holds(&expression, property);
        ASSERT(!expression_parse(expression.text, &arena, &again, &problem));
        ASSERT(expression_holds(&again, property) == holds);
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = fuzz_text(data, size);
    const char *rest = fuzz_rest(text);
    try_expression(text, rest);
    return 0;
}
