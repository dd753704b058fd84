/* Numbers as JSON text, whatever the locale. Private to the codec. */
#ifndef ARGOSY_SCHEMA_CODEC_NUMBER_H
#define ARGOSY_SCHEMA_CODEC_NUMBER_H

enum { NUMBER_TEXT_LENGTH = 40 };

/* The shortest text that reads back as the same number. Finite numbers only. */
void number_format(double number, char ret_text[NUMBER_TEXT_LENGTH]);

#endif
