// Parking: one permit a thread, and names for threads that outlive them harmlessly.
//
// A thread holds one parker while it lives. A name is the parker's index and its generation; when
// the thread ends the generation rises, so an unpark that comes late finds another generation and
// does nothing. Parkers are never freed, so looking at one is always safe. An unpark that passes
// the generation check just before the parker changes hands gives the new owner a permit that it
// did not ask for, and waiting loops allow that.
//
// Permit: 0 none, 1 there, 2 none and the owner sleeps. Only the owner leaves 1 or enters 2.
#include "CPlatform.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

typedef struct {
  uint32_t permit;
  uint32_t generation;
  uint32_t index;
  int32_t next_free;
#if !defined(__linux__)
  pthread_mutex_t mutex;
  pthread_cond_t changed;
#endif
} parker;

enum { chunk_size = 256, chunk_limit = 4096 };

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static parker *chunks[chunk_limit];  // Set once each, released; read with acquire.
static uint32_t parker_count;
static int32_t first_free = -1;

static _Thread_local uint64_t own_name;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t end_key;

static parker *parker_at(uint32_t index) {
  if (index / chunk_size >= chunk_limit) return NULL;
  parker *chunk = __atomic_load_n(&chunks[index / chunk_size], __ATOMIC_ACQUIRE);
  return chunk ? &chunk[index % chunk_size] : NULL;
}

// Names are never 0: generations start at 1.
static uint64_t name_of(parker *p) { return (uint64_t)p->generation << 32 | p->index; }

static parker *grow(void) {
  uint32_t index = parker_count;
  if (index / chunk_size >= chunk_limit) return NULL;
  if (index % chunk_size == 0) {
    parker *chunk = calloc(chunk_size, sizeof(parker));
    if (!chunk) return NULL;
    __atomic_store_n(&chunks[index / chunk_size], chunk, __ATOMIC_RELEASE);
  }
  parker *p = parker_at(index);
  p->index = index;
  p->generation = 1;
#if !defined(__linux__)
  pthread_mutex_init(&p->mutex, NULL);
  pthread_cond_init(&p->changed, NULL);
#endif
  parker_count++;
  return p;
}

uint64_t platform_thread_name_reserve(void) {
  uint64_t name = 0;
  pthread_mutex_lock(&table_lock);
  parker *p = NULL;
  if (first_free >= 0) {
    p = parker_at((uint32_t)first_free);
    first_free = p->next_free;
  } else {
    p = grow();
  }
  if (p) name = name_of(p);
  pthread_mutex_unlock(&table_lock);
  return name;
}

void platform_thread_name_release(uint64_t name) {
  parker *p = parker_at((uint32_t)name);
  if (!p) return;
  pthread_mutex_lock(&table_lock);
  __atomic_store_n(&p->generation, p->generation + 1, __ATOMIC_RELAXED);
  if (p->generation == 0) __atomic_store_n(&p->generation, 1, __ATOMIC_RELAXED);
  __atomic_store_n(&p->permit, 0, __ATOMIC_RELAXED);
  p->next_free = first_free;
  first_free = (int32_t)p->index;
  pthread_mutex_unlock(&table_lock);
}

static void thread_ended(void *unused) {
  (void)unused;
  uint64_t name = own_name;
  own_name = 0;
  if (name) platform_thread_name_release(name);
}

static void create_key(void) {
  // Out of keys is out of everything, at start-up; there is no way to go on.
  if (pthread_key_create(&end_key, thread_ended) != 0) abort();
}

void platform_thread_name_adopt(uint64_t name) {
  pthread_once(&once, create_key);
  own_name = name;
  pthread_setspecific(end_key, &own_name);
}

void platform_thread_name_give_back(void) { thread_ended(NULL); }

uint64_t platform_thread_name(void) {
  if (__builtin_expect(own_name == 0, 0)) {
    uint64_t name = platform_thread_name_reserve();
    // A million threads at once, or no memory for a few bytes: nothing sensible is left to do.
    if (name == 0) abort();
    platform_thread_name_adopt(name);
  }
  return own_name;
}

#if defined(__linux__)

static void wait_for_change(parker *p, bool timed, uint64_t deadline) {
  struct timespec at = {
    .tv_sec = (time_t)(deadline / 1000000000u),
    .tv_nsec = (long)(deadline % 1000000000u),
  };
  // FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC.
  syscall(SYS_futex, &p->permit, FUTEX_WAIT_BITSET_PRIVATE, 2u, timed ? &at : NULL, NULL,
          FUTEX_BITSET_MATCH_ANY);
}

static void announce_change(parker *p) {
  syscall(SYS_futex, &p->permit, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#else

static void wait_for_change(parker *p, bool timed, uint64_t deadline) {
  pthread_mutex_lock(&p->mutex);
  if (__atomic_load_n(&p->permit, __ATOMIC_ACQUIRE) == 2) {
    if (!timed) {
      pthread_cond_wait(&p->changed, &p->mutex);
    } else {
      struct timespec now;
      clock_gettime(CLOCK_MONOTONIC, &now);
      uint64_t at = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
      if (deadline > at) {
        uint64_t rest = deadline - at;
        struct timespec wait = {(time_t)(rest / 1000000000u), (long)(rest % 1000000000u)};
#if defined(__APPLE__)
        pthread_cond_timedwait_relative_np(&p->changed, &p->mutex, &wait);
#else
        clock_gettime(CLOCK_REALTIME, &now);
        wait.tv_sec += now.tv_sec;
        wait.tv_nsec += now.tv_nsec;
        if (wait.tv_nsec >= 1000000000) wait.tv_sec++, wait.tv_nsec -= 1000000000;
        pthread_cond_timedwait(&p->changed, &p->mutex, &wait);
#endif
      }
    }
  }
  pthread_mutex_unlock(&p->mutex);
}

static void announce_change(parker *p) {
  pthread_mutex_lock(&p->mutex);
  pthread_cond_signal(&p->changed);
  pthread_mutex_unlock(&p->mutex);
}

#endif

void platform_park(bool timed, uint64_t deadline) {
  parker *p = parker_at((uint32_t)platform_thread_name());
  uint32_t none = 0;
  if (__atomic_compare_exchange_n(
          &p->permit, &none, 2, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    wait_for_change(p, timed, deadline);
  }
  // Takes the permit if it is there; after a timeout or a signal there may be none.
  __atomic_exchange_n(&p->permit, 0, __ATOMIC_SEQ_CST);
}

void platform_unpark(uint64_t name) {
  parker *p = parker_at((uint32_t)name);
  if (!p || __atomic_load_n(&p->generation, __ATOMIC_RELAXED) != (uint32_t)(name >> 32)) return;
  if (__atomic_exchange_n(&p->permit, 1, __ATOMIC_SEQ_CST) == 2) announce_change(p);
}
