// Thread slots: dense small numbers, each held by one thread at a time.
//
// Invariants:
// - A set bit in `taken` has exactly one thread whose `held` has it set, and the other way round.
// - A thread's slots go back when it ends, by the destructor of `end_key`, which runs before the
//   thread's static thread-local storage goes.
// - `platform_thread_slot_value` is a cache: a scheduler of fibres may overwrite it at will without
//   any slot being lost, because ownership is in `held`.
#include "CPlatform.h"

#include <pthread.h>

enum { slot_limit = 1024, words = slot_limit / 64 };

_Thread_local int32_t platform_thread_slot_value = -1;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t taken[words];
static _Thread_local uint64_t held[words];

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t end_key;
static bool end_key_exists;

static void give_back(void *held_by_thread) {
  uint64_t *mine = held_by_thread;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < words; i++) {
    taken[i] &= ~mine[i];
    mine[i] = 0;
  }
  pthread_mutex_unlock(&lock);
  // A later destructor of this thread that asks again gets a new slot and a new destructor call.
  platform_thread_slot_value = -1;
}

void platform_thread_slot_give_back(void) { give_back(held); }

static void create_key(void) { end_key_exists = pthread_key_create(&end_key, give_back) == 0; }

int32_t platform_thread_slot_acquire(void) {
  pthread_once(&once, create_key);
  // Without the destructor the slot would never come back: better none.
  if (!end_key_exists || pthread_setspecific(end_key, held) != 0) return -1;
  int32_t slot = -1;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < words; i++) {
    if (~taken[i] == 0) continue;
    int bit = __builtin_ctzll(~taken[i]);
    taken[i] |= 1ull << bit;
    held[i] |= 1ull << bit;
    slot = i * 64 + bit;
    break;
  }
  pthread_mutex_unlock(&lock);
  platform_thread_slot_value = slot;
  return slot;
}
