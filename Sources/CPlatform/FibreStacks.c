// Stacks for fibres: mapped pages with a guard page below, kept for reuse.
//
// A simulation creates and ends thousands of fibres of one size, and first-touch page faults are
// dear, so ended ones wait in a list, at most `pool_limit`. The lock is process-wide: taking a
// stack is rare beside switching.
#include "Fibre.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if PLATFORM_ASAN
#include <sanitizer/asan_interface.h>
#endif

#ifndef MAP_STACK
#define MAP_STACK 0
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

enum { pool_limit = 256, least_stack = 16384 };

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static platform_fibre *pool;
static int pool_count;

static platform_fibre *take_pooled(size_t stack_size) {
  platform_fibre *found = NULL;
  pthread_mutex_lock(&pool_lock);
  for (platform_fibre **link = &pool; *link; link = &(*link)->next_pooled) {
    if ((*link)->stack_size == stack_size) {
      found = *link;
      *link = found->next_pooled;
      pool_count--;
      break;
    }
  }
  pthread_mutex_unlock(&pool_lock);
  return found;
}

static platform_fibre *map_new(size_t stack_size, size_t page) {
  platform_fibre *fibre = calloc(1, sizeof(platform_fibre));
  if (!fibre) return NULL;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE;
  char *base = mmap(NULL, stack_size + page, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (base == MAP_FAILED) {
    free(fibre);
    return NULL;
  }
  // Running off the end of a stack must fault, not write into the neighbour's.
  if (mprotect(base, page, PROT_NONE) != 0) {
    munmap(base, stack_size + page);
    free(fibre);
    return NULL;
  }
  fibre->stack = base + page;
  fibre->stack_size = stack_size;
  return fibre;
}

platform_fibre *platform_fibre_stack_take(size_t stack_size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (stack_size < least_stack) stack_size = least_stack;
  if (stack_size > SIZE_MAX - 2 * page) return NULL;
  stack_size = (stack_size + page - 1) / page * page;
  platform_fibre *fibre = take_pooled(stack_size);
  if (!fibre) return map_new(stack_size, page);
#if PLATFORM_ASAN
  // The former user's frames were left standing, with their red zones.
  __asan_unpoison_memory_region(fibre->stack, fibre->stack_size);
#endif
  return fibre;
}

void platform_fibre_stack_give(platform_fibre *fibre) {
  bool kept = false;
  pthread_mutex_lock(&pool_lock);
  if (pool_count < pool_limit) {
    fibre->next_pooled = pool;
    pool = fibre;
    pool_count++;
    kept = true;
  }
  pthread_mutex_unlock(&pool_lock);
  if (kept) return;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  munmap(fibre->stack - page, fibre->stack_size + page);
  free(fibre);
}
