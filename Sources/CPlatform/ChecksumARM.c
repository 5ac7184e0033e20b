// CRC-32C by the crc32c instructions of ARMv8.
#if defined(__aarch64__)

#include "Checksum.h"

#include <string.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

bool platform_crc32c_hardware_exists(void) {
#if defined(__APPLE__)
  return true;  // Every arm64 Mac has them.
#elif defined(__linux__)
  return (getauxval(AT_HWCAP) & (1ul << 7)) != 0;  // HWCAP_CRC32
#else
  return false;
#endif
}

__attribute__((target("crc"))) uint32_t platform_crc32c_hardware(
    uint32_t crc, const void *bytes, size_t length) {
  const uint8_t *p = bytes;
  uint32_t state = ~crc;
  while (length >= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    state = __builtin_arm_crc32cd(state, word);
    p += 8;
    length -= 8;
  }
  while (length > 0) {
    state = __builtin_arm_crc32cb(state, *p);
    p++;
    length--;
  }
  return ~state;
}

uint32_t platform_crc32c_around_hardware(uint32_t crc, const void *bytes, size_t length) {
  uint32_t first = platform_crc32c_hardware(crc, bytes, 4);
  return platform_crc32c_hardware(first, (const uint8_t *)bytes + 8, length - 8);
}

#endif
