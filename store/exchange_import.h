/* SPDX-License-Identifier: MIT
 * exchange_import: a file's rows in memory, between reading (exchange_import.c) and writing (exchange_apply.c).
 * Only those two include this. */
#ifndef STORE_EXCHANGE_IMPORT_H
#define STORE_EXCHANGE_IMPORT_H

#include "store/exchange_row.h"

struct import_row {
    struct exchange_row row;
    int64_t line;
    /* decided when written */
    bool present; /* equals a row the person has */
    bool id_taken;
    int64_t category_id; /* 0 = none */
    const char *path;    /* of the category, as long as the write lasts */
};
struct import {
    struct arena *arena;
    int64_t now_ms, lines;
    struct import_row *row;
    size_t count, capacity;
};

#endif
