// Processors without known checksum instructions.
#if !defined(__x86_64__) && !defined(__aarch64__)

#include "Checksum.h"
#include "CPlatform.h"

bool platform_crc32c_hardware_exists(void) { return false; }

uint32_t platform_crc32c_hardware(uint32_t crc, const void *bytes, size_t length) {
  return platform_crc32c_portable(crc, bytes, length);
}

#endif
