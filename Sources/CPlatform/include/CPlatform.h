// The few things that Swift cannot say. Nothing here allocates behind the caller's back.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: Seam context: one pointer a thread, one flag a process.

extern _Thread_local void *platform_seam_context_slot;
extern unsigned char platform_seam_armed_flag;

static inline bool platform_seam_armed(void) {
  return __builtin_expect(__atomic_load_n(&platform_seam_armed_flag, __ATOMIC_RELAXED), 0);
}
static inline void *platform_seam_context(void) { return platform_seam_context_slot; }
static inline void platform_seam_install(void *context) {
  __atomic_store_n(&platform_seam_armed_flag, 1, __ATOMIC_RELAXED);
  platform_seam_context_slot = context;
}
static inline void platform_seam_restore(void *context) { platform_seam_context_slot = context; }

// MARK: Thread slots: a dense small number a thread. -1 while none is held.

extern _Thread_local int32_t platform_thread_slot_value;

static inline int32_t platform_thread_slot(void) { return platform_thread_slot_value; }
// Takes the lowest free slot below 1024 for the calling thread, -1 when none is free; given back
// when the thread ends.
int32_t platform_thread_slot_acquire(void);
// For a scheduler of fibres: says which slot the fibre that runs from here on holds.
static inline void platform_thread_slot_set(int32_t slot) { platform_thread_slot_value = slot; }

// Gives the calling thread's slots back before it ends.
void platform_thread_slot_give_back(void);

// MARK: Thread names and parking (see Parking.c). A name is never 0, and never used twice soon.

// The calling thread's name; it gets one at the first call.
uint64_t platform_thread_name(void);
// For a thread that is about to be started: a name (0 when memory is short), which the new thread
// adopts before anything else, or which is released when it could not be started.
uint64_t platform_thread_name_reserve(void);
void platform_thread_name_adopt(uint64_t name);
void platform_thread_name_release(uint64_t name);
// Gives the calling thread's name back before it ends.
void platform_thread_name_give_back(void);

// Waits for the calling thread's permit and takes it. May return early, and does at `deadline`
// (nanoseconds of CLOCK_MONOTONIC) when `timed`.
void platform_park(bool timed, uint64_t deadline);
// Gives a permit to the thread of that name; nothing when it has ended.
void platform_unpark(uint64_t name);

// Tells the processor that this is a waiting loop.
static inline void platform_spin_hint(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// MARK: Barriers of a whole process (see Barrier.c).

// Whether platform_process_barrier works: the first call asks the system and registers.
bool platform_process_barrier_available(void);
// Every other thread of the process has passed a full memory barrier when this returns.
void platform_process_barrier(void);
// Keeps the compiler, not the processor, from moving memory accesses across it.
static inline void platform_compiler_barrier(void) { __asm__ volatile("" ::: "memory"); }

// Whether a sanitizer watches this build.
bool platform_watches_threads(void);
bool platform_watches_addresses(void);

// MARK: System calls that Swift's module for the C library leaves out (see SystemCalls.c).

// Reserves blocks for a range, extending the file; gives blocks back. 0, or -1 and errno.
int platform_allocate(int descriptor, int64_t offset, int64_t length);
int platform_punch_hole(int descriptor, int64_t offset, int64_t length);
// pread that never waits for a device: -1 and EAGAIN where the bytes are not in memory (or where
// the system cannot tell).
ssize_t platform_read_cached(int descriptor, void *buffer, size_t count, int64_t offset);
// Reads past the system's cache (see DirectReads.c). A second descriptor for them, of the file that
// `descriptor` is of; -1 and errno.
int platform_open_direct(int descriptor, const char *path);
#define PLATFORM_DIRECT_READS 16
typedef struct {
  int descriptor;
  // Aligned as the device asks, and so are count and offset.
  void *buffer;
  size_t count;
  int64_t offset;
  // Fewer than `count` where the file ends.
  ssize_t taken;
} platform_direct_read;
// Memory for them, aligned to pages; NULL when there is none. A few blocks are kept for the next rounds, apart
// from the allocator, which aligned blocks that come and go would break to pieces.
void *platform_direct_memory(size_t bytes);
void platform_direct_memory_give_back(void *memory, size_t bytes);
// All of them at once, and waits; 0, or -1 and the errno of one that failed.
int platform_read_direct(platform_direct_read *reads, int count);
// Hints about memory: large pages for a run; the whole pages inside a run given back, their bytes
// lost.
void platform_prefer_large_pages(void *base, size_t length);
void platform_discard_pages(void *base, size_t length);
// Starts a copy of this process, which has the calling thread alone: 0 there, the copy's number here,
// -1 where there is none.
int platform_fork(void);
// Random bits of the system; false when it has none to give.
bool platform_random(uint64_t *word);
// Names the calling thread for debuggers; Linux takes at most 15 bytes.
void platform_set_thread_name(const char *name);

// MARK: Other processes (see ChildProcess.c).

// Where a program that was started by platform_spawn finds its end of the pipe.
#define PLATFORM_REPORT_DESCRIPTOR 3
// A pipe that no other program inherits, large where the system gives a large one; 0, or -1 and errno.
int platform_report_pipe(int ends[2]);
// Starts a program; NULL ends the arguments, of which the first is its name. It has no input, its output
// goes to the file `log`, which is emptied before. Its number, or -1 and errno.
int64_t platform_spawn(
    const char *program, char *const *arguments, int reports, const char *log);
// Waits for its end: the code it exited with, or the signal that ended it, negative. 0, or -1 and errno.
int platform_wait(int64_t child, int *code);
// The calling program ends when the one that started it does, where the system has such a thing.
void platform_end_with_parent(void);
// Of this process and of those that it has waited for, in nanoseconds.
uint64_t platform_processor_time(void);

// MARK: CRC-32C (Castagnoli), as in RFC 3720. Hardware where the processor has it.

// Continues `crc` (0 at the start) over `length` bytes.
uint32_t platform_crc32c(uint32_t crc, const void *bytes, size_t length);
// The same but for bytes 4 to 7, which hold the sum itself; at least 8 bytes.
uint32_t platform_crc32c_around(uint32_t crc, const void *bytes, size_t length);
// The table-driven version, always there, for tests and other processors.
uint32_t platform_crc32c_portable(uint32_t crc, const void *bytes, size_t length);

// MARK: A 128-bit rolling hash, for traces. Not for adversaries.

typedef struct {
  uint64_t low;
  uint64_t high;
} platform_hash128;

static inline platform_hash128 platform_hash128_word(platform_hash128 state, uint64_t word) {
  __uint128_t first = (__uint128_t)(state.low ^ word) * 0x9E3779B97F4A7C15ull;
  __uint128_t second = (__uint128_t)(state.high + word + 0x632BE59BD9B4E019ull) * 0xD6E8FEB86659FD93ull;
  platform_hash128 next;
  next.low = (uint64_t)first ^ (uint64_t)(second >> 64) ^ state.high;
  next.high = (uint64_t)second + ((uint64_t)(first >> 64) ^ state.low);
  return next;
}
platform_hash128 platform_hash128_bytes(platform_hash128 state, const void *bytes, size_t length);

// MARK: Memory.

// Lexicographic order of two byte strings: negative, zero or positive.
static inline int platform_compare(
    const void *left, size_t left_count, const void *right, size_t right_count) {
  size_t common = left_count < right_count ? left_count : right_count;
  int order = common == 0 ? 0 : __builtin_memcmp(left, right, common);
  if (order != 0) return order;
  return (left_count > right_count) - (left_count < right_count);
}

static inline void platform_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }
// Into the second-level cache only: more of these may be under way at once.
static inline void platform_prefetch_far(const void *address) { __builtin_prefetch(address, 0, 1); }

// The number of words below `bound`, of `count` (at least 1) that ascend. By halves, and without a
// branch on what is compared: the compiler makes one of any other way to say it, and half of those
// branches are predicted wrongly.
static inline size_t platform_lower_bound(const uint64_t *words, size_t count, uint64_t bound) {
  const uint64_t *first = words;
  size_t rest = count;
  while (rest > 1) {
    size_t half = rest >> 1;
    const uint64_t *middle = first + half;
    first = __builtin_unpredictable(middle[-1] < bound) ? middle : first;
    rest -= half;
  }
  return (size_t)(first - words) + (*first < bound);
}

// memcmp, so that an unoptimised build compares byte strings as fast as an optimised one.
static inline int platform_compare_bytes(const void *left, const void *right, size_t length) {
  return __builtin_memcmp(left, right, length);
}

// MARK: Fibres: stackful, switched by hand, never preempted.

typedef struct platform_fibre platform_fibre;
typedef void (*platform_fibre_entry)(void *argument);

// A fibre with a guarded stack of `stack_size` bytes that will run entry(argument); null when
// memory is short. The entry must not return: its last act is a switch away.
platform_fibre *platform_fibre_create(size_t stack_size, platform_fibre_entry entry, void *argument);
// A fibre that stands for the calling thread's own stack, to switch back to.
platform_fibre *platform_fibre_adopt_thread(void);
// Suspends `from`, which is running, and resumes `to`.
void platform_fibre_switch(platform_fibre *from, platform_fibre *to);
// Frees a fibre that is not running. Its stack may be pooled for the next one.
void platform_fibre_destroy(platform_fibre *fibre);

// MARK: Traps of fibres (see Traps.c).

// Called on the stack of whoever trapped, with the number of the signal. May switch away for good; if
// it returns, the process dies of the signal.
typedef void (*platform_trap_handler)(void *context, int signal);
// Who is asked when the calling thread traps, from now on; none with a null context. Answers whom it
// was before. Nothing where an address sanitizer watches, which has something to say itself.
void *platform_traps_catch(platform_trap_handler handler, void *context);
// What such a signal means, for a report.
const char *platform_trap_name(int signal);

#endif
