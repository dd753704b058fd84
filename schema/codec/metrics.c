/* Metrics: one flat object of numbers. */
#include "schema/codec/decode.h"
#include "schema/codec/encode.h"

int codec_decode_metrics(const char *text, size_t length, struct arena *arena,
                         struct number_map *ret_numbers, struct problems *problems)
{
    static const struct field numbers = {.kind = FIELD_NUMBER_MAP};
    _cleanup_tree_ struct tree tree;
    *ret_numbers = (struct number_map){0};
    int result = tree_parse(text, length, problems, &tree);
    if (result)
        return result;
    struct decoder decoder = {.mode = CODEC_STRICT, .arena = arena, .problems = problems};
    decode_field(&decoder, NULL, &numbers, tree.root, ret_numbers);
    return decode_result(&decoder);
}

void codec_encode_metrics(const struct number_map *numbers, struct buf *out)
{
    encode_number_map(numbers, out);
}
