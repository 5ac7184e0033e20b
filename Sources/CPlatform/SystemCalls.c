// Calls of Linux that Swift's module for the C library leaves out, because its headers show them
// only under _GNU_SOURCE. Results and errno are those of the calls themselves.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CPlatform.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#if defined(__linux__)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#elif defined(__APPLE__)
#include <stdlib.h>
#endif

int platform_allocate(int descriptor, int64_t offset, int64_t length) {
#if defined(__linux__)
  return fallocate(descriptor, 0, offset, length);
#else
  errno = ENOTSUP;
  return -1;
#endif
}

int platform_punch_hole(int descriptor, int64_t offset, int64_t length) {
#if defined(__linux__)
  return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
#else
  errno = ENOTSUP;
  return -1;
#endif
}

ssize_t platform_read_cached(int descriptor, void *buffer, size_t count, int64_t offset) {
#if defined(__linux__) && defined(RWF_NOWAIT)
  struct iovec range = {buffer, count};
  return preadv2(descriptor, &range, 1, offset, RWF_NOWAIT);
#else
  errno = EAGAIN;
  return -1;
#endif
}

void platform_prefer_large_pages(void *base, size_t length) {
#if defined(__linux__)
  // A hint: a system without large pages refuses it, and nothing is lost.
  (void)madvise(base, length, MADV_HUGEPAGE);
#else
  (void)base;
  (void)length;
#endif
}

void platform_discard_pages(void *base, size_t length) {
#if defined(__linux__)
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = ((uintptr_t)base + page - 1) / page * page;
  uintptr_t end = ((uintptr_t)base + length) / page * page;
  if (start < end) (void)madvise((void *)start, end - start, MADV_DONTNEED);
#else
  (void)base;
  (void)length;
#endif
}

bool platform_random(uint64_t *word) {
#if defined(__linux__)
  // Eight bytes come whole; only before the pool is ready at boot can a signal interrupt.
  for (;;) {
    ssize_t count = getrandom(word, sizeof *word, 0);
    if (count == (ssize_t)sizeof *word) return true;
    if (count < 0 && errno != EINTR) return false;
  }
#else
  arc4random_buf(word, sizeof *word);
  return true;
#endif
}

void platform_set_thread_name(const char *name) {
#if defined(__APPLE__)
  pthread_setname_np(name);
#elif defined(__linux__)
  pthread_setname_np(pthread_self(), name);
#else
  (void)name;
#endif
}

int platform_fork(void) { return fork(); }
