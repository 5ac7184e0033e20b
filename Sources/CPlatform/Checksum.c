// CRC-32C: the choice between hardware and tables, and the tables.
//
// Polynomial 0x1EDC6F41, reflected 0x82F63B78, initial value and final complement all ones, as in
// RFC 3720. The table version takes eight bytes a step ("slicing by eight").
#include "Checksum.h"
#include "CPlatform.h"

#include <pthread.h>
#include <string.h>

static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void) {
  for (uint32_t n = 0; n < 256; n++) {
    uint32_t crc = n;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0);
    tables[0][n] = crc;
  }
  for (uint32_t n = 0; n < 256; n++) {
    for (int k = 1; k < 8; k++) {
      uint32_t before = tables[k - 1][n];
      tables[k][n] = tables[0][before & 0xFF] ^ (before >> 8);
    }
  }
}

static inline uint32_t load32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t platform_crc32c_portable(uint32_t crc, const void *bytes, size_t length) {
  pthread_once(&tables_once, make_tables);
  const uint8_t *p = bytes;
  uint32_t state = ~crc;
  while (length >= 8) {
    uint32_t low = state ^ load32(p);
    uint32_t high = load32(p + 4);
    state = tables[7][low & 0xFF] ^ tables[6][(low >> 8) & 0xFF] ^ tables[5][(low >> 16) & 0xFF]
        ^ tables[4][low >> 24] ^ tables[3][high & 0xFF] ^ tables[2][(high >> 8) & 0xFF]
        ^ tables[1][(high >> 16) & 0xFF] ^ tables[0][high >> 24];
    p += 8;
    length -= 8;
  }
  while (length > 0) {
    state = tables[0][(state ^ *p) & 0xFF] ^ (state >> 8);
    p++;
    length--;
  }
  return ~state;
}

typedef uint32_t (*checksum)(uint32_t crc, const void *bytes, size_t length);

static uint32_t portable_around(uint32_t crc, const void *bytes, size_t length) {
  uint32_t first = platform_crc32c_portable(crc, bytes, 4);
  return platform_crc32c_portable(first, (const uint8_t *)bytes + 8, length - 8);
}

// Every thread that gets here first finds the same answer, so a relaxed store is enough.
static __attribute__((noinline)) checksum choose(
    checksum *chosen, checksum hardware, checksum portable) {
  checksum function = platform_crc32c_hardware_exists() ? hardware : portable;
  __atomic_store_n(chosen, function, __ATOMIC_RELAXED);
  return function;
}

uint32_t platform_crc32c(uint32_t crc, const void *bytes, size_t length) {
  static checksum chosen;
  checksum function = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
  if (__builtin_expect(function == NULL, 0)) {
    function = choose(&chosen, platform_crc32c_hardware, platform_crc32c_portable);
  }
  return function(crc, bytes, length);
}

uint32_t platform_crc32c_around(uint32_t crc, const void *bytes, size_t length) {
  static checksum chosen;
  checksum function = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
  if (__builtin_expect(function == NULL, 0)) {
    function = choose(&chosen, platform_crc32c_around_hardware, portable_around);
  }
  return function(crc, bytes, length);
}
