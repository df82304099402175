/* SPDX-License-Identifier: MIT
 * hex: bytes as lower-case hexadecimal digits.  Pure; any thread. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>

/* Writes 2 * count digits and a NUL; returns where the NUL is. */
static inline char *hex_put(char *out, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = ((const unsigned char *)bytes)[i];
        *out++ = "0123456789abcdef"[byte >> 4];
        *out++ = "0123456789abcdef"[byte & 15];
    }
    *out = '\0';
    return out;
}

#endif
