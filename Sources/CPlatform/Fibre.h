// Inside CPlatform only: what a fibre is made of, and the switch that each processor family brings.
#ifndef CPLATFORM_FIBRE_H
#define CPLATFORM_FIBRE_H

#include "CPlatform.h"

#if defined(__x86_64__) && !defined(PLATFORM_FIBRE_UCONTEXT)
#define PLATFORM_FIBRE_ASSEMBLY 1
#else
#define PLATFORM_FIBRE_ASSEMBLY 0
#include <ucontext.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PLATFORM_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define PLATFORM_TSAN 1
#endif
#endif
#ifndef PLATFORM_ASAN
#define PLATFORM_ASAN 0
#endif
#ifndef PLATFORM_TSAN
#define PLATFORM_TSAN 0
#endif

struct platform_fibre {
  // While suspended: where the stack pointer stood. The switch in assembly knows it is first.
  void *stack_pointer;
  platform_fibre_entry entry;
  void *argument;
  // The usable part of the stack, above the guard page; null for an adopted thread. (Under the
  // address sanitizer an adopted thread has the bounds of its own stack here, not to be freed.)
  char *stack;
  size_t stack_size;
  bool adopted;
  platform_fibre *next_pooled;
#if !PLATFORM_FIBRE_ASSEMBLY
  ucontext_t context;
#endif
#if PLATFORM_ASAN
  // Stays with the stack through the pool: frames that an ended fibre left are few.
  void *fake_stack;
#endif
#if PLATFORM_TSAN
  void *tsan;
#endif
};

// FibreStacks.c: a fibre with a stack, from the pool or new; null when memory is short. Only
// `stack` and `stack_size` (and what the sanitizers keep with them) are set.
platform_fibre *platform_fibre_stack_take(size_t stack_size);
void platform_fibre_stack_give(platform_fibre *fibre);

// FibreSwitch*.c
void platform_fibre_prepare(platform_fibre *fibre);
void platform_fibre_swap(platform_fibre *from, platform_fibre *to);
// Fibre.c: where every fibre begins. Does not return.
void platform_fibre_begin(platform_fibre *fibre) __attribute__((noreturn));

#endif
