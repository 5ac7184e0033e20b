// Inside CPlatform only: the checksum instructions of this processor family, if it has any.
#ifndef CPLATFORM_CHECKSUM_H
#define CPLATFORM_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool platform_crc32c_hardware_exists(void);
// Only where platform_crc32c_hardware_exists().
uint32_t platform_crc32c_hardware(uint32_t crc, const void *bytes, size_t length);
uint32_t platform_crc32c_around_hardware(uint32_t crc, const void *bytes, size_t length);

#endif
