/* CRC-32C (Castagnoli), as used by iSCSI, ext4 and SCTP. */
#ifndef HARBOR_CRC32C_H
#define HARBOR_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 to begin) over `length` bytes at `bytes`. */
uint32_t harbor_crc32c(uint32_t crc, const uint8_t *bytes, size_t length);

/* What the C compiler thinks of the target: to be compared with what rustc thinks. */
struct harbor_target {
    uint32_t pointer_bits;
    uint32_t big_endian;
};

struct harbor_target harbor_target(void);

#endif
