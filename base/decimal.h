/* SPDX-License-Identifier: MIT
 * decimal: whole numbers as decimal digits, for who writes very many: printf reads its format anew each time.
 * Pure; any thread. */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>
#include <string.h>

enum { DECIMAL_BYTES_MAX = sizeof "-9223372036854775808" };

/* Writes the number and a NUL; returns where the NUL is. */
static inline char *decimal_put(char *out, int64_t value)
{
    char digits[DECIMAL_BYTES_MAX], *p = digits + sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--p = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--p = '-';
    size_t len = (size_t)(digits + sizeof digits - p);
    memcpy(out, p, len);
    out[len] = '\0';
    return out + len;
}

#endif
