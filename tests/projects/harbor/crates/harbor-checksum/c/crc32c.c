#include "crc32c.h"

#include <limits.h>
#include <string.h>

static const uint32_t POLYNOMIAL = UINT32_C(0x82f63b78);

uint32_t harbor_crc32c(uint32_t crc, const uint8_t *bytes, size_t length)
{
    crc = ~crc;
    while (length--) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (POLYNOMIAL & (0u - (crc & 1u)));
    }
    return ~crc;
}

struct harbor_target harbor_target(void)
{
    const uint16_t probe = 1;
    uint8_t first;
    struct harbor_target target;

    memcpy(&first, &probe, sizeof first);
    target.pointer_bits = (uint32_t)(sizeof(void *) * CHAR_BIT);
    target.big_endian = first == 0;
    return target;
}
