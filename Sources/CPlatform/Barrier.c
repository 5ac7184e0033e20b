// A memory barrier on all threads of the process, by Linux's membarrier: it moves the cost of an
// ordering from many cheap readers to one rare reclaimer.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CPlatform.h"

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#include <stdlib.h>

bool platform_watches_threads(void) {
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
  return true;
#endif
#endif
  return false;
}

bool platform_watches_addresses(void) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  return true;
#endif
#endif
  return false;
}

#if defined(__linux__) && defined(MEMBARRIER_CMD_PRIVATE_EXPEDITED)

// 0 not asked, 1 there, 2 not there. Two threads that ask at once find the same answer.
static unsigned char state;

bool platform_process_barrier_available(void) {
  unsigned char known = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
  if (known == 0) {
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    bool there =
        commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
        syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
    known = there ? 1 : 2;
    __atomic_store_n(&state, known, __ATOMIC_RELEASE);
  }
  return known == 1;
}

void platform_process_barrier(void) {
  // Cannot fail once registered; going on without it would free memory under readers.
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) abort();
}

#else

bool platform_process_barrier_available(void) { return false; }
void platform_process_barrier(void) { abort(); }

#endif
