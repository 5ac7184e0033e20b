// What libFuzzer, and nobody else, offers and wants: the names that it looks for are in Driver.c, and call the functions
// that the program defines.
#ifndef CFUZZ_DRIVER_H
#define CFUZZ_DRIVER_H

#include <stddef.h>
#include <stdint.h>

// One of libFuzzer's own mutations of `data`; answers the new size, at most `most`. Only within a mutation.
size_t fuzz_mutate_plainly(uint8_t *data, size_t size, size_t most);

// Nanoseconds of processor time that this process has used.
uint64_t fuzz_processor_time(void);

#endif
