// Reads past the system's cache, several at once. Linux only, by its own asynchronous calls: they need no
// thread and no library. Elsewhere, and where the system permits none, every call says ENOTSUP, and the
// caller reads as always.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CPlatform.h"

#include <errno.h>
#include <string.h>

#if defined(__linux__)
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int platform_open_direct(int descriptor, const char *path) {
  int direct = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
  if (direct < 0) return -1;
  struct stat known, found;
  if (fstat(descriptor, &known) == 0 && fstat(direct, &found) == 0 && known.st_dev == found.st_dev &&
      known.st_ino == found.st_ino)
    return direct;
  // Another file has that name by now.
  close(direct);
  errno = ENOENT;
  return -1;
}

// Contexts of the kernel that no round uses, for as long as the process lives. 0: none here.
enum { CONTEXTS = 8 };
static aio_context_t idle[CONTEXTS];

static int take_context(aio_context_t *context) {
  for (int i = 0; i < CONTEXTS; i++) {
    *context = __atomic_exchange_n(&idle[i], 0, __ATOMIC_ACQ_REL);
    if (*context != 0) return 0;
  }
  return (int)syscall(SYS_io_setup, PLATFORM_DIRECT_READS, context);
}

static void give_back_context(aio_context_t context) {
  for (int i = 0; i < CONTEXTS; i++) {
    aio_context_t none = 0;
    if (__atomic_compare_exchange_n(
            &idle[i], &none, context, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      return;
  }
  syscall(SYS_io_destroy, context);
}

int platform_read_direct(platform_direct_read *reads, int count) {
  if (count < 1 || count > PLATFORM_DIRECT_READS) {
    errno = EINVAL;
    return -1;
  }
  if (count == 1) {
    ssize_t taken;
    do {
      taken = pread(reads[0].descriptor, reads[0].buffer, reads[0].count, reads[0].offset);
    } while (taken < 0 && errno == EINTR);
    if (taken < 0) return -1;
    reads[0].taken = taken;
    return 0;
  }
  aio_context_t context = 0;
  if (take_context(&context) != 0) return -1;
  struct iocb blocks[PLATFORM_DIRECT_READS];
  struct iocb *list[PLATFORM_DIRECT_READS];
  memset(blocks, 0, sizeof(blocks[0]) * (size_t)count);
  for (int i = 0; i < count; i++) {
    blocks[i].aio_data = (uint64_t)i;
    blocks[i].aio_lio_opcode = IOCB_CMD_PREAD;
    blocks[i].aio_fildes = (uint32_t)reads[i].descriptor;
    blocks[i].aio_buf = (uint64_t)(uintptr_t)reads[i].buffer;
    blocks[i].aio_nbytes = reads[i].count;
    blocks[i].aio_offset = reads[i].offset;
    list[i] = &blocks[i];
  }
  int failure = 0;
  int submitted = 0;
  while (submitted < count) {
    long taken = syscall(SYS_io_submit, context, count - submitted, list + submitted);
    if (taken <= 0) {
      failure = taken < 0 ? errno : EAGAIN;
      break;
    }
    submitted += (int)taken;
  }
  // The buffers belong to the kernel until all that was submitted has ended.
  int ended = 0;
  while (ended < submitted) {
    struct io_event events[PLATFORM_DIRECT_READS];
    long found =
        syscall(SYS_io_getevents, context, submitted - ended, submitted - ended, events, NULL);
    if (found < 0 && errno != EINTR) __builtin_trap();  // Not a context: the pool is broken.
    for (long i = 0; i < found; i++) {
      if (events[i].res < 0) {
        failure = (int)-events[i].res;
      } else {
        reads[events[i].data].taken = (ssize_t)events[i].res;
      }
    }
    if (found > 0) ended += (int)found;
  }
  give_back_context(context);
  if (failure == 0) return 0;
  errno = failure;
  return -1;
}

enum { BLOCKS = 8 };
static const size_t block_bytes = 128 << 10;
static void *blocks[BLOCKS];

void *platform_direct_memory(size_t bytes) {
  if (bytes <= block_bytes) {
    for (int i = 0; i < BLOCKS; i++) {
      void *memory = __atomic_exchange_n(&blocks[i], NULL, __ATOMIC_ACQ_REL);
      if (memory != NULL) return memory;
    }
    bytes = block_bytes;
  }
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

void platform_direct_memory_give_back(void *memory, size_t bytes) {
  if (bytes <= block_bytes) {
    for (int i = 0; i < BLOCKS; i++) {
      void *none = NULL;
      if (__atomic_compare_exchange_n(
              &blocks[i], &none, memory, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return;
    }
    bytes = block_bytes;
  }
  munmap(memory, bytes);
}

#else

void *platform_direct_memory(size_t bytes) {
  (void)bytes;
  return NULL;
}

void platform_direct_memory_give_back(void *memory, size_t bytes) {
  (void)memory;
  (void)bytes;
}

int platform_open_direct(int descriptor, const char *path) {
  (void)descriptor;
  (void)path;
  errno = ENOTSUP;
  return -1;
}

int platform_read_direct(platform_direct_read *reads, int count) {
  (void)reads;
  (void)count;
  errno = ENOTSUP;
  return -1;
}

#endif
