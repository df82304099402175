/* SPDX-License-Identifier: MIT
 * matrix_rows: see the header.  Called by the matrix's writer and by snapshot_load(). */
#include "embeddings/matrix_rows.h"
#include "base/arena.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t row_bytes(const struct rows *r)
{
    return (size_t)r->dimensions * sizeof(float);
}
static size_t chunk_bytes(const struct rows *r)
{
    return ROWS_CHUNK * row_bytes(r);
}

static int nameless_file(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char path[4096]; /* file systems without O_TMPFILE */
    if (snprintf(path, sizeof path, "%s/steward-rows-XXXXXX", dir) >= (int)sizeof path)
        return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

enum status rows_init(struct rows *r, uint32_t dimensions, const char *dir, struct error *e)
{
    memset(r, 0, sizeof *r);
    r->dimensions = dimensions;
    r->fd = dir ? nameless_file(dir) : -1;
    if (dir && r->fd < 0)
        return fail(e, ST_INTERNAL, "no file for the embedding rows can be made in %s: %s", dir, strerror(errno));
    return OK;
}

void rows_release(struct rows *r)
{
    for (size_t i = 0; i < ROWS_CHUNKS_MAX; i++) {
        float *chunk = atomic_load(&r->chunk[i]);
        if (!chunk)
            continue;
        size_t bytes = chunk_bytes(r);
        uint64_t first = (uint64_t)i << ROWS_CHUNK_SHIFT;
        if (first < r->read_only && r->read_only - first < ROWS_CHUNK)
            bytes = (size_t)(r->read_only - first) * row_bytes(r);
        munmap(chunk, bytes);
    }
    if (r->fd >= 0)
        close(r->fd);
    free(r->unused);
}

enum status rows_map(struct rows *r, int fd, uint64_t offset, uint32_t count, struct error *e)
{
    if (count > (uint32_t)ROWS_CHUNKS_MAX * ROWS_CHUNK)
        return fail(e, ST_LIMIT, "%u rows are more than the matrix holds", count);
    r->read_only = count;
    for (uint32_t i = 0; (uint64_t)i * ROWS_CHUNK < count; i++) {
        uint32_t rest = count - i * ROWS_CHUNK;
        size_t bytes = rest < ROWS_CHUNK ? rest * row_bytes(r) : chunk_bytes(r);
        void *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, (off_t)(offset + (uint64_t)i * chunk_bytes(r)));
        if (p == MAP_FAILED)
            return fail(e, ST_INTERNAL, "the snapshot's rows cannot be mapped: %s", strerror(errno));
        atomic_store(&r->chunk[i], (float *)p);
    }
    r->next = (count + ROWS_CHUNK - 1) / ROWS_CHUNK * ROWS_CHUNK;
    return OK;
}

/* Map the chunk of the first slot never used. */
static enum status chunk_add(struct rows *r, uint32_t chunk, struct error *e)
{
    size_t bytes = chunk_bytes(r);
    void *p;
    if (r->fd >= 0) {
        if (ftruncate(r->fd, (off_t)((chunk + (uint64_t)1) * bytes)) != 0)
            return fail(e, ST_INTERNAL, "the file of the embedding rows cannot grow: %s", strerror(errno));
        p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, r->fd, (off_t)(chunk * (uint64_t)bytes));
    } else {
        p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (p == MAP_FAILED)
        return fail(e, ST_INTERNAL, "the embedding rows cannot be mapped: %s", strerror(errno));
    atomic_store_explicit(&r->chunk[chunk], (float *)p, memory_order_release);
    return OK;
}

static enum status row_write(struct rows *r, uint32_t slot, const float *vector, struct error *e)
{
    size_t bytes = row_bytes(r);
    if (r->fd < 0) {
        float *chunk = atomic_load_explicit(&r->chunk[slot >> ROWS_CHUNK_SHIFT], memory_order_relaxed);
        memcpy(chunk + (size_t)(slot & (ROWS_CHUNK - 1)) * r->dimensions, vector, bytes);
        return OK;
    }
    for (size_t done = 0; done < bytes;) {
        ssize_t n = pwrite(r->fd, (const char *)vector + done, bytes - done, (off_t)((uint64_t)slot * bytes + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(e, ST_INTERNAL, "an embedding row cannot be written: %s", strerror(n ? errno : ENOSPC));
        done += (size_t)n;
    }
    return OK;
}

enum status rows_put(struct rows *r, const float *vector, uint32_t *slot, struct error *e)
{
    bool used = r->unused_count > 0;
    uint32_t at = used ? r->unused[r->unused_count - 1] : r->next;
    if (at >= (uint32_t)ROWS_CHUNKS_MAX * ROWS_CHUNK)
        return fail(e, ST_LIMIT, "the matrix is full: %u rows", at);
    enum status s = OK;
    if (!atomic_load_explicit(&r->chunk[at >> ROWS_CHUNK_SHIFT], memory_order_relaxed))
        s = chunk_add(r, at >> ROWS_CHUNK_SHIFT, e);
    if (s == OK)
        s = row_write(r, at, vector, e);
    if (s != OK)
        return s;
    if (used)
        r->unused_count--;
    else
        r->next++;
    *slot = at;
    return OK;
}

void rows_drop(struct rows *r, uint32_t slot)
{
    if (slot < r->read_only)
        return;
    if (r->unused_count == r->unused_capacity) {
        r->unused_capacity = r->unused_capacity ? 2 * r->unused_capacity : 64;
        r->unused = xrealloc(r->unused, r->unused_capacity * sizeof *r->unused);
    }
    r->unused[r->unused_count++] = slot;
}
