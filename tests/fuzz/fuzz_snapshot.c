/* SPDX-License-Identifier: MIT
 * fuzz_snapshot: any bytes as a snapshot file.  The input is a short form of one: a flag byte, then the header, then
 * what lies behind its page; with flag 1 the sizes and checksums are made to fit, so that the loader's other checks are
 * reached.  What loads is searched, written to and saved. */
#include "embeddings/snapshot.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { D = 8, PAGE = 65536, HEADER = 216, IMAGE_MAX = 3 * PAGE };

/* Offsets in the header of snapshot.c. */
enum { AT_ROWS = 24, AT_PARTS_BYTES = 32, AT_ROWS_OFFSET = 40, AT_FILE_BYTES = 48 };

static uint64_t number(const uint8_t *image, size_t at)
{
    uint64_t v;
    memcpy(&v, image + at, sizeof v);
    return v;
}

static size_t image_make(uint8_t *image, const uint8_t *data, size_t size)
{
    size_t body = size - HEADER, bytes = PAGE + body;
    memcpy(image, data, HEADER);
    memcpy(image + PAGE, data + HEADER, body);
    return bytes;
}

/* The rows behind the segments: as many as the header says, within reason, all the same unit vector. */
static size_t image_fit(uint8_t *image, size_t bytes)
{
    uint64_t rows = number(image, AT_ROWS) % 64, parts = bytes - PAGE;
    uint64_t offset = (bytes + PAGE - 1) / PAGE * PAGE, total = offset + rows * D * sizeof(float);
    static const float unit[D] = { 0, 1 };
    memcpy(image + AT_ROWS, &rows, sizeof rows);
    memcpy(image + AT_PARTS_BYTES, &parts, sizeof parts);
    memcpy(image + AT_ROWS_OFFSET, &offset, sizeof offset);
    memcpy(image + AT_FILE_BYTES, &total, sizeof total);
    for (uint64_t i = 0; i < rows; i++)
        memcpy(image + offset + i * sizeof unit, unit, sizeof unit);
    snapshot_seal(image, (size_t)total);
    return (size_t)total;
}

static void use(struct matrix *m)
{
    static const float query[D] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    struct matrix_hit hits[4 * 20];
    struct matrix_query q = { .user = 1, .k = 20 };
    size_t counts[4];
    struct error e;
    float four[4 * D];
    for (size_t i = 0; i < 4 * D; i++)
        four[i] = query[i % D];
    if (matrix_search(m, &q, query, hits, counts, NULL, &e) != OK ||
        matrix_search_batch(m, &q, four, 4, hits, counts, NULL, &e) != OK)
        abort();
    for (int64_t id = 0; id < 30; id++) {
        struct matrix_item item = { .user = 1, .id = id, .type = (uint32_t)id % 3 };
        if (id % 2 ? matrix_put(m, &item, query, &e) != OK : matrix_remove(m, 1, item.type, id, &e) == ST_INTERNAL)
            abort();
    }
    matrix_compact(m);
    matrix_remove_user(m, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct matrix_options options = { .model = "fuzz", .dimensions = D };
    static uint8_t image[IMAGE_MAX];
    struct matrix *m;
    struct snapshot_state state;
    char path[32];
    if (size < 1 + HEADER || size > 16384)
        return 0;
    memset(image, 0, sizeof image);
    size_t bytes = image_make(image, data + 1, size - 1);
    if (data[0] & 1)
        bytes = image_fit(image, bytes);
    int fd = memfd_create("snapshot", MFD_CLOEXEC);
    if (fd < 0 || write(fd, image, bytes) != (ssize_t)bytes)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (snapshot_load(path, &options, &m, &state, NULL) == OK) {
        use(m);
        matrix_free(m);
    }
    close(fd);
    return 0;
}
