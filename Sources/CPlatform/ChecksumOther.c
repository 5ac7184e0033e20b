// Processors without known checksum instructions.
#if !defined(__x86_64__) && !defined(__aarch64__)

#include "Checksum.h"
#include "CPlatform.h"

bool platform_crc32c_hardware_exists(void) { return false; }

uint32_t platform_crc32c_hardware(uint32_t crc, const void *bytes, size_t length) {
  return platform_crc32c_portable(crc, bytes, length);
}

// Never chosen.
uint32_t platform_crc32c_around_hardware(uint32_t crc, const void *bytes, size_t length) {
  uint32_t first = platform_crc32c_portable(crc, bytes, 4);
  return platform_crc32c_portable(first, (const uint8_t *)bytes + 8, length - 8);
}

#endif
