#include "dataset/crc32c.h"

/* x^32 + x^28 + ... of RFC 3720, 12.1, lowest power first. */
#define POLYNOMIAL 0x82F63B78u

void s2clr_crc32c_init(s2clr_crc32c *crc)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
        crc->table[0][byte] = value;
    }
    for (int k = 1; k < 8; k++)
        for (int byte = 0; byte < 256; byte++) {
            const uint32_t before = crc->table[k - 1][byte];
            crc->table[k][byte] = before >> 8 ^ crc->table[0][before & 255];
        }
}

uint32_t s2clr_crc32c_of(const s2clr_crc32c *crc, const void *bytes, size_t size)
{
    const uint32_t(*t)[256] = crc->table;
    const unsigned char *p = bytes;
    uint32_t value = ~0u;
    for (; size >= 8; size -= 8, p += 8)
        value = t[7][p[0] ^ (value & 255)] ^ t[6][p[1] ^ (value >> 8 & 255)] ^
                t[5][p[2] ^ (value >> 16 & 255)] ^ t[4][p[3] ^ value >> 24] ^ t[3][p[4]] ^
                t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]];
    for (; size; size--, p++) value = value >> 8 ^ t[0][(value ^ *p) & 255];
    return ~value;
}
