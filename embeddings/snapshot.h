/* SPDX-License-Identifier: MIT
 * snapshot: a matrix as one file, so that a start need not read every vector from the database.
 * Checksummed, written beside its final name and renamed over it; loaded by copying the codes and mapping
 * the fp32 rows.  The file is a cache: whatever is wrong with it, the caller rebuilds from the database.
 * A snapshot may be saved while others search and write. */
#ifndef EMBEDDINGS_SNAPSHOT_H
#define EMBEDDINGS_SNAPSHOT_H

#include "embeddings/matrix.h"

/* What the caller says of the items; the file keeps it. */
struct snapshot_state {
    int64_t mark;  /* the database up to here is in it: taken before the items are */
    bool complete; /* and no vector was missing there */
};

struct snapshot_saving {
    const char *path;
    struct snapshot_state state;
    /* NULL, or called between taking the items and giving the file its name: returns when what they were made from
     * survives power loss, for the file must not know of rows that the database may lose. */
    void (*settle)(void *arg);
    void *arg;
};

/* Write all items.  The old file stays valid until the new one is durable (fsync, rename, fsync of the folder).
 * ST_INTERNAL with the reason; the old file is then untouched. */
enum status MUST_CHECK snapshot_save(struct matrix *, const struct snapshot_saving *, struct error *);

/* Load `path` into a new matrix.  ST_NOT_FOUND: no such file.  ST_CONFLICT: made for another model or other
 * dimensions.  ST_INVALID: not a snapshot of this version, cut short or damaged.  In each case *out is NULL and
 * the error says why.  The file stays mapped: it may be renamed over and unlinked, never truncated. */
enum status MUST_CHECK snapshot_load(const char *path, const struct matrix_options *, struct matrix **out,
                                     struct snapshot_state *, struct error *);
/* Its state alone: the header is read and checked, the items are not.  Fails as snapshot_load(). */
enum status MUST_CHECK snapshot_peek(const char *path, const struct matrix_options *, struct snapshot_state *,
                                     struct error *);

/* Make the checksums of a file image right again: for tests that damage what the checksums cover. */
void snapshot_seal(void *image, size_t bytes);

#endif
