// The trace hash over byte strings: little-endian words of eight bytes, the last one filled with
// zeros, then the length, so that neither padding nor a cut can be mistaken for content.
#include "CPlatform.h"

#include <string.h>

platform_hash128 platform_hash128_bytes(platform_hash128 state, const void *bytes, size_t length) {
  const uint8_t *p = bytes;
  size_t rest = length;
  while (rest >= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    state = platform_hash128_word(state, word);
    p += 8;
    rest -= 8;
  }
  if (rest > 0) {
    uint64_t word = 0;
    for (size_t i = 0; i < rest; i++) word |= (uint64_t)p[i] << (8 * i);
    state = platform_hash128_word(state, word);
  }
  return platform_hash128_word(state, (uint64_t)length);
}
