// CRC-32C by the crc32 instruction of SSE 4.2, three streams at a time.
//
// The instruction has a latency of three cycles and a throughput of one, so one stream leaves two
// thirds of the unit idle. Three neighbouring blocks of n bytes are summed side by side and joined:
//   crc(A B C) = crc(A) * x^(16n)  +  crc(B) * x^(8n)  +  crc(C)      (mod P)
// A multiplication by x^m mod P is one carry-less product with the reflected constant
// x^(m - 33) mod P, reduced by one more crc32 instruction (which multiplies by x^32; the missing x
// comes from the product of two reflected 32-bit values having 63 bits). The constants are
// computed by: v = 0x80000000; m - 33 times: v = (v >> 1) ^ (v & 1 ? 0x82F63B78 : 0).
#if defined(__x86_64__)

#include "Checksum.h"

#include <immintrin.h>
#include <string.h>

// A page of 4 KiB is one long round and 16 bytes; a leaf fragment or record is a few short ones.
enum { long_block = 1360, short_block = 80 };
static const uint32_t long_once = 0x3F70CC6F, long_twice = 0x5AA1F3CF;
static const uint32_t short_once = 0x39D3B296, short_twice = 0x878A92A7;

bool platform_crc32c_hardware_exists(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

static inline uint64_t load64(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, 8);
  return word;
}

static inline uint32_t load32(const uint8_t *p) {
  uint32_t word;
  memcpy(&word, p, 4);
  return word;
}

__attribute__((target("sse4.2,pclmul"))) static inline uint64_t advance(
    uint64_t crc, uint32_t constant) {
  __m128i product =
      _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi32_si128((int)constant), 0);
  return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static inline uint64_t three_blocks(
    uint64_t first, const uint8_t *p, size_t block, uint32_t once, uint32_t twice) {
  uint64_t second = 0, third = 0;
  for (size_t i = 0; i < block; i += 8) {
    first = _mm_crc32_u64(first, load64(p + i));
    second = _mm_crc32_u64(second, load64(p + block + i));
    third = _mm_crc32_u64(third, load64(p + 2 * block + i));
  }
  return advance(first, twice) ^ advance(second, once) ^ third;
}

__attribute__((target("sse4.2,pclmul"))) static inline uint32_t sum(
    uint64_t state, const uint8_t *p, size_t length) {
  while (length >= 3 * long_block) {
    state = three_blocks(state, p, long_block, long_once, long_twice);
    p += 3 * long_block;
    length -= 3 * long_block;
  }
  while (length >= 3 * short_block) {
    state = three_blocks(state, p, short_block, short_once, short_twice);
    p += 3 * short_block;
    length -= 3 * short_block;
  }
  // A redo piece of one small entry ends here: the loop itself would cost as much as the sums.
  while (length >= 32) {
    state = _mm_crc32_u64(state, load64(p));
    state = _mm_crc32_u64(state, load64(p + 8));
    state = _mm_crc32_u64(state, load64(p + 16));
    state = _mm_crc32_u64(state, load64(p + 24));
    p += 32;
    length -= 32;
  }
  while (length >= 8) {
    state = _mm_crc32_u64(state, load64(p));
    p += 8;
    length -= 8;
  }
  if (length >= 4) {
    state = _mm_crc32_u32((uint32_t)state, load32(p));
    p += 4;
    length -= 4;
  }
  while (length > 0) {
    state = _mm_crc32_u8((uint32_t)state, *p);
    p++;
    length--;
  }
  return ~(uint32_t)state;
}

__attribute__((target("sse4.2,pclmul"))) uint32_t platform_crc32c_hardware(
    uint32_t crc, const void *bytes, size_t length) {
  return sum((uint32_t)~crc, bytes, length);
}

__attribute__((target("sse4.2,pclmul"))) uint32_t platform_crc32c_around_hardware(
    uint32_t crc, const void *bytes, size_t length) {
  const uint8_t *p = bytes;
  return sum(_mm_crc32_u32(~crc, load32(p)), p + 8, length - 8);
}

#endif
