/* Parts of the encoder that other files of the codec use. */
#ifndef ARGOSY_SCHEMA_CODEC_ENCODE_H
#define ARGOSY_SCHEMA_CODEC_ENCODE_H

#include "platform/base/buf.h"
#include "schema/field.h"

void encode_number_map(const struct number_map *numbers, struct buf *out);
/* The value of one field of a record; false, and nothing: it is absent. */
bool encode_field(const struct field *field, const void *value, struct buf *out);
/* A quoted string of a terminated text. */
void encode_text(const char *text, struct buf *out);

#endif
