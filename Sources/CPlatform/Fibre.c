// Fibres: stackful, switched by hand, never preempted. The part that every processor shares.
//
// Rules for users:
// - A fibre runs only on the operating-system thread that first switched to it: compilers keep
//   addresses of thread-local variables across calls.
// - All fibres of a thread share its thread-local storage. The Swift runtime keeps its record of
//   `inout` accesses to class storage there, so never switch inside such an access. Throwing and
//   `defer` are ordinary returns and are fine.
// - An entry never returns; its last act is a switch away. What its frames still hold then leaks.
#include "Fibre.h"

#include <pthread.h>
#include <stdlib.h>

#if PLATFORM_ASAN
#include <sanitizer/common_interface_defs.h>
// Whose stack the thread is on, to give nested adoptions the right bounds.
static _Thread_local platform_fibre *running;
// To ask for it takes a walk through all mappings of the process, and each simulation asks.
static _Thread_local void *own_stack;
static _Thread_local size_t own_stack_size;
#endif
#if PLATFORM_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

platform_fibre *platform_fibre_create(
    size_t stack_size, platform_fibre_entry entry, void *argument) {
  platform_fibre *fibre = platform_fibre_stack_take(stack_size);
  if (!fibre) return NULL;
  fibre->entry = entry;
  fibre->argument = argument;
  fibre->adopted = false;
  fibre->next_pooled = NULL;
#if PLATFORM_TSAN
  fibre->tsan = __tsan_create_fiber(0);
#endif
  platform_fibre_prepare(fibre);
  return fibre;
}

#if PLATFORM_ASAN
static void find_own_stack(platform_fibre *fibre) {
  if (running) {
    fibre->stack = running->stack;
    fibre->stack_size = running->stack_size;
    return;
  }
  if (own_stack) {
    fibre->stack = own_stack;
    fibre->stack_size = own_stack_size;
    return;
  }
#if defined(__APPLE__)
  fibre->stack_size = pthread_get_stacksize_np(pthread_self());
  fibre->stack = (char *)pthread_get_stackaddr_np(pthread_self()) - fibre->stack_size;
#else
  int pthread_getattr_np(pthread_t, pthread_attr_t *);
  pthread_attr_t attributes;
  void *base = NULL;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  pthread_attr_getstack(&attributes, &base, &fibre->stack_size);
  pthread_attr_destroy(&attributes);
  fibre->stack = base;
#endif
  own_stack = fibre->stack;
  own_stack_size = fibre->stack_size;
}
#endif

platform_fibre *platform_fibre_adopt_thread(void) {
  platform_fibre *fibre = calloc(1, sizeof(platform_fibre));
  if (!fibre) return NULL;
  fibre->adopted = true;
#if PLATFORM_ASAN
  find_own_stack(fibre);
  fibre->next_pooled = running;  // Whom to name again when this adoption ends.
#endif
#if PLATFORM_TSAN
  fibre->tsan = __tsan_get_current_fiber();
#endif
  return fibre;
}

// Runs on the new stack right after each arrival.
static inline void arrived(platform_fibre *fibre) {
#if PLATFORM_ASAN
  __sanitizer_finish_switch_fiber(fibre->fake_stack, NULL, NULL);
  running = fibre;
#else
  (void)fibre;
#endif
}

void platform_fibre_begin(platform_fibre *fibre) {
  arrived(fibre);
  fibre->entry(fibre->argument);
  // There is nothing to return to, and going on would run over the end of the stack.
  abort();
}

#if PLATFORM_TSAN
__attribute__((no_sanitize("thread")))
#endif
void platform_fibre_switch(platform_fibre *from, platform_fibre *to) {
#if PLATFORM_ASAN
  __sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_size);
#endif
#if PLATFORM_TSAN
  __tsan_switch_to_fiber(to->tsan, 0);
#endif
  platform_fibre_swap(from, to);
  arrived(from);
}

void platform_fibre_destroy(platform_fibre *fibre) {
  if (!fibre) return;
  if (fibre->adopted) {
#if PLATFORM_ASAN
    if (running == fibre) running = fibre->next_pooled;
#endif
    free(fibre);
    return;
  }
#if PLATFORM_TSAN
  __tsan_destroy_fiber(fibre->tsan);
  fibre->tsan = NULL;
#endif
  platform_fibre_stack_give(fibre);
}
