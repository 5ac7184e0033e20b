// The beginning of the program, and the functions that libFuzzer looks for by name.
#include "CFuzzDriver.h"

#include <stdio.h>
#include <time.h>

// Of libFuzzer; null in a build without it, as ci/coverage makes one, which only replays.
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
__attribute__((weak)) int LLVMFuzzerRunDriver(
    int *argc, char ***argv, int (*run)(const uint8_t *data, size_t size));

// Of the program, see FuzzRun.swift.
void luge_fuzz_begin(int32_t *argc, char ***argv);
int32_t luge_fuzz_once(const uint8_t *data, size_t size);
size_t luge_fuzz_mutate(uint8_t *data, size_t size, size_t most, uint32_t seed);
size_t luge_fuzz_cross(
    const uint8_t *left, size_t left_size, const uint8_t *right, size_t right_size,
    uint8_t *target, size_t most, uint32_t seed);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  int32_t count = *argc;
  luge_fuzz_begin(&count, argv);
  *argc = count;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return luge_fuzz_once(data, size); }

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  return luge_fuzz_mutate(data, size, most, seed);
}

size_t LLVMFuzzerCustomCrossOver(
    const uint8_t *left, size_t left_size, const uint8_t *right, size_t right_size,
    uint8_t *target, size_t most, unsigned seed) {
  return luge_fuzz_cross(left, left_size, right, right_size, target, most, seed);
}

size_t fuzz_mutate_plainly(uint8_t *data, size_t size, size_t most) {
  return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, most) : size;
}

// SwiftPM makes `main` of the program "fuzz" another name of this.
int fuzz_main(int argc, char **argv) {
  if (LLVMFuzzerRunDriver) return LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput);
  // Verbs that need no libFuzzer end the process.
  LLVMFuzzerInitialize(&argc, &argv);
  fputs("fuzz: this build is without libFuzzer; see ci/fuzz\n", stderr);
  return 2;
}

uint64_t fuzz_processor_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
