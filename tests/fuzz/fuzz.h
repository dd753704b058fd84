/* A fuzz target is one function; libFuzzer calls it, or replay.c with the seeds. A broken promise
 * aborts. */
#ifndef ARGOSY_TESTS_FUZZ_H
#define ARGOSY_TESTS_FUZZ_H

#include "platform/base/mem.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
