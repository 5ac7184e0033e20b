// The few things that Swift cannot say. Nothing here allocates behind the caller's back.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

// MARK: CRC-32C (Castagnoli), as in RFC 3720. Hardware where the processor has it.

// Continues `crc` (0 at the start) over `length` bytes.
uint32_t platform_crc32c(uint32_t crc, const void *bytes, size_t length);
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

static inline void platform_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

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

#endif
