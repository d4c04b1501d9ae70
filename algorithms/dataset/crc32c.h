/*
 * CRC-32C (Castagnoli), as TFRecords use it. Vectors: RFC 3720, appendix B.4.
 *
 *     s2clr_crc32c crc;
 *     s2clr_crc32c_init(&crc);
 *     uint32_t check = s2clr_crc32c_of(&crc, bytes, size);
 */
#ifndef S2CLR_DATASET_CRC32C_H
#define S2CLR_DATASET_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Row k: the effect of a byte that is followed by k zero bytes, so that eight bytes are one step
 * (Kounavis and Berry, "A Systematic Approach to Building High Performance Software-based CRC
 * Generators", 2005). */
typedef struct s2clr_crc32c {
    uint32_t table[8][256];
} s2clr_crc32c;

void s2clr_crc32c_init(s2clr_crc32c *crc);
uint32_t s2clr_crc32c_of(const s2clr_crc32c *crc, const void *bytes, size_t size);

#endif
