// The switch for processors without one of their own: ucontext, about ten times slower because it
// asks the kernel for the signal mask.
#if defined(__APPLE__) && !defined(_XOPEN_SOURCE)
#define _XOPEN_SOURCE 700
#endif
#include "Fibre.h"

#if !PLATFORM_FIBRE_ASSEMBLY

// makecontext passes ints only, so the pointer comes in two halves.
static void begin(unsigned high, unsigned low) {
  platform_fibre_begin((platform_fibre *)(uintptr_t)((uint64_t)high << 32 | low));
}

void platform_fibre_prepare(platform_fibre *fibre) {
  getcontext(&fibre->context);
  fibre->context.uc_stack.ss_sp = fibre->stack;
  fibre->context.uc_stack.ss_size = fibre->stack_size;
  fibre->context.uc_link = NULL;
  uint64_t address = (uint64_t)(uintptr_t)fibre;
  makecontext(&fibre->context, (void (*)(void))begin, 2, (unsigned)(address >> 32),
              (unsigned)address);
}

void platform_fibre_swap(platform_fibre *from, platform_fibre *to) {
  swapcontext(&from->context, &to->context);
}

#endif
