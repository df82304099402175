/* SPDX-License-Identifier: MIT
 * snapshot: the file of a matrix.  Called at the start, and by the lane that keeps the vectors from time to
 * time; never under a lock that a search or a put waits for longer than it takes to list the segments.
 *
 *   header, one page │ segments: struct part, mean, codes, rows' certificates, ids, packed, categories │ fp32 rows
 *
 * Numbers as the machine has them: the file does not travel.  Rows of dead items are left out. */
#include "embeddings/snapshot.h"
#include "base/arena.h"
#include "embeddings/matrix_view.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    PAGE = 65536, /* no page is larger on the systems we run on */
    FORMAT = 1,
    BYTE_ORDER_MARK = 0x01020304,
    OUT_BUFFER_BYTES = 1 << 20,
    PATH_BYTES_MAX = 4096,
};

static const char snapshot_magic[8] = { 'S', 'T', 'E', 'W', 'M', 'T', 'X', '\n' };

enum { FLAG_COMPLETE = 1, FLAGS_KNOWN = FLAG_COMPLETE };

struct header {
    char magic[8];
    uint16_t format, flags;
    uint32_t byte_order, dimensions, segments;
    uint64_t rows, parts_bytes, rows_offset, file_bytes;
    int64_t mark;
    uint64_t parts_hash, rows_hash;
    char model[MATRIX_MODEL_BYTES_MAX];
    uint64_t header_hash; /* of everything before */
};

struct part {
    int64_t user;
    uint32_t count, mean_rows;
    float radius;
    uint32_t zero;
};

static uint64_t header_hash(const struct header *h)
{
    return XXH3_64bits(h, offsetof(struct header, header_hash));
}

/* --- saving --- */

struct save {
    struct matrix *m;
    struct epoch_reader *reader;
    struct view *view; /* one per user */
    int64_t *user;
    size_t users;
    FILE *out;
    XXH3_state_t *hash;
    struct header header;
};

static void put(struct save *s, const void *bytes, size_t len)
{
    XXH3_64bits_update(s->hash, bytes, len);
    fwrite(bytes, 1, len, s->out); /* errors stay in ferror() */
}

/* What every user has at one moment; the epoch keeps it valid afterwards. */
static void views_open(struct save *s)
{
    struct matrix *m = s->m;
    pthread_mutex_lock(&m->writer);
    s->reader = epoch_enter(&m->epoch);
    struct user_table *t = atomic_load(&m->users);
    s->view = xcalloc(t->count + 1, sizeof *s->view);
    s->user = xcalloc(t->count + 1, sizeof *s->user);
    for (uint32_t i = 0; i < t->capacity; i++) {
        struct partition *p = atomic_load(&t->at[i]);
        if (!p)
            continue;
        s->user[s->users] = p->user;
        view_open_within(&s->view[s->users++], p);
    }
    pthread_mutex_unlock(&m->writer);
}

static void views_close(struct save *s)
{
    for (size_t i = 0; i < s->users; i++)
        view_close(&s->view[i]);
    epoch_leave(s->reader);
    free(s->view);
    free(s->user);
}

static bool alive(const struct view_part *p, uint32_t row)
{
    return !(p->dead[row / 64] >> (row % 64) & 1);
}

static uint32_t part_live(const struct view_part *p)
{
    uint32_t live = 0;
    for (uint32_t row = 0; row < p->rows; row++)
        live += alive(p, row);
    return live;
}

/* One column of the living rows. */
static void put_column(struct save *s, const struct view_part *p, const void *column, size_t bytes)
{
    for (uint32_t row = 0; row < p->rows; row++)
        if (alive(p, row))
            put(s, (const char *)column + row * bytes, bytes);
}

static void put_part(struct save *s, int64_t user, const struct view_part *p)
{
    const struct segment *g = p->segment;
    struct part head = { .user = user, .count = part_live(p), .mean_rows = g->mean_rows };
    if (!head.count)
        return;
    head.radius = atomic_load_explicit(&g->radius, memory_order_relaxed);
    put(s, &head, sizeof head);
    put(s, g->mean, g->dimensions * sizeof *g->mean);
    put_column(s, p, g->codes, g->stride);
    put_column(s, p, g->row, sizeof *g->row);
    put_column(s, p, g->id, sizeof *g->id);
    put_column(s, p, g->packed, sizeof *g->packed);
    put_column(s, p, g->category, sizeof *g->category);
    s->header.segments++;
    s->header.rows += head.count;
}

static void put_rows(struct save *s, const struct view_part *p)
{
    for (uint32_t row = 0; row < p->rows; row++)
        if (alive(p, row))
            put(s, rows_at(&s->m->rows, p->segment->slot[row]), s->m->dimensions * sizeof(float));
}

static void put_header(struct save *s)
{
    s->header.header_hash = header_hash(&s->header);
    if (fseeko(s->out, 0, SEEK_SET) == 0)
        fwrite(&s->header, 1, sizeof s->header, s->out);
}

static void put_all(struct save *s)
{
    struct header *h = &s->header;
    fseeko(s->out, PAGE, SEEK_SET);
    XXH3_64bits_reset(s->hash);
    for (size_t i = 0; i < s->users; i++)
        for (size_t j = 0; j < s->view[i].count; j++)
            put_part(s, s->user[i], &s->view[i].part[j]);
    h->parts_bytes = (uint64_t)ftello(s->out) - PAGE;
    h->parts_hash = XXH3_64bits_digest(s->hash);
    h->rows_offset = (PAGE + h->parts_bytes + PAGE - 1) / PAGE * PAGE;
    fseeko(s->out, (off_t)h->rows_offset, SEEK_SET);
    XXH3_64bits_reset(s->hash);
    for (size_t i = 0; i < s->users; i++)
        for (size_t j = 0; j < s->view[i].count; j++)
            put_rows(s, &s->view[i].part[j]);
    h->rows_hash = XXH3_64bits_digest(s->hash);
    h->file_bytes = h->rows_offset + h->rows * s->m->dimensions * sizeof(float);
    put_header(s);
}

/* The file beside `path`, ours alone and empty; -1 with errno.  Locked, since another process may be saving: without
 * that, truncating could hit a file that has just been renamed to `path` and is mapped. */
static int side_file(const char *side)
{
    for (;;) {
        struct stat ours, named;
        int fd = open(side, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            bool same = fstat(fd, &ours) == 0 && stat(side, &named) == 0 && ours.st_ino == named.st_ino &&
                        ours.st_dev == named.st_dev;
            if (same && ftruncate(fd, 0) == 0)
                return fd;
            if (!same) {
                close(fd);
                continue;
            }
        }
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
}

static int folder_sync(const char *path)
{
    char folder[PATH_BYTES_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int r = fsync(fd);
    close(fd);
    return r;
}

static enum status finish(struct save *s, const char *side, const char *path, struct error *e)
{
    if (ferror(s->out) || fflush(s->out) != 0 || ftruncate(fileno(s->out), (off_t)s->header.file_bytes) != 0 ||
        fsync(fileno(s->out)) != 0)
        return fail(e, ST_INTERNAL, "the snapshot cannot be written to %s: %s", side, strerror(errno));
    if (rename(side, path) != 0)
        return fail(e, ST_INTERNAL, "the snapshot cannot be renamed to %s: %s", path, strerror(errno));
    if (folder_sync(path) != 0)
        return fail(e, ST_INTERNAL, "the folder of %s cannot be made durable: %s", path, strerror(errno));
    return OK;
}

enum status snapshot_save(struct matrix *m, const struct snapshot_saving *what, struct error *e)
{
    char side[PATH_BYTES_MAX];
    if (snprintf(side, sizeof side, "%s.new", what->path) >= (int)sizeof side)
        return fail(e, ST_INVALID, "the path of the snapshot is too long");
    int fd = side_file(side);
    if (fd < 0)
        return fail(e, errno == EWOULDBLOCK ? ST_BUSY : ST_INTERNAL, "the snapshot %s cannot be made: %s", side,
                    strerror(errno));
    struct save s = { .m = m, .out = fdopen(fd, "r+b"), .hash = XXH3_createState() };
    if (!s.out || !s.hash)
        abort();
    setvbuf(s.out, NULL, _IOFBF, OUT_BUFFER_BYTES);
    memcpy(s.header.magic, snapshot_magic, sizeof s.header.magic);
    s.header.format = FORMAT;
    s.header.flags = what->state.complete ? FLAG_COMPLETE : 0;
    s.header.byte_order = BYTE_ORDER_MARK;
    s.header.dimensions = m->dimensions;
    s.header.mark = what->state.mark;
    memcpy(s.header.model, m->model, sizeof s.header.model);
    views_open(&s);
    put_all(&s);
    views_close(&s);
    if (what->settle)
        what->settle(what->arg);
    enum status status = finish(&s, side, what->path, e);
    if (status != OK)
        unlink(side);
    XXH3_freeState(s.hash);
    fclose(s.out); /* the lock ends here, after the rename */
    return status;
}

/* --- loading --- */

struct load {
    const char *path;
    int fd;
    const uint8_t *image;
    size_t bytes;
    struct header header;
    struct matrix *m;
    struct error *e;
};

static enum status damaged(struct load *l, const char *what)
{
    return fail(l->e, ST_INVALID, "the snapshot %s cannot be used: %s", l->path, what);
}

static enum status image_open(struct load *l)
{
    struct stat st;
    l->fd = open(l->path, O_RDONLY | O_CLOEXEC);
    if (l->fd < 0)
        return fail(l->e, errno == ENOENT ? ST_NOT_FOUND : ST_INTERNAL, "the snapshot %s cannot be opened: %s", l->path,
                    strerror(errno));
    if (fstat(l->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return damaged(l, "it is not a file");
    if (st.st_size < PAGE)
        return damaged(l, "it is cut short");
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, l->fd, 0);
    if (p == MAP_FAILED)
        return fail(l->e, ST_INTERNAL, "the snapshot %s cannot be mapped: %s", l->path, strerror(errno));
    (void)madvise(p, (size_t)st.st_size, MADV_SEQUENTIAL);
    l->image = p;
    l->bytes = (size_t)st.st_size;
    memcpy(&l->header, l->image, sizeof l->header);
    return OK;
}

static enum status header_check(struct load *l, const struct matrix_options *o)
{
    const struct header *h = &l->header;
    if (memcmp(h->magic, snapshot_magic, sizeof h->magic) != 0 || h->format != FORMAT || (h->flags & ~FLAGS_KNOWN) ||
        h->byte_order != BYTE_ORDER_MARK)
        return damaged(l, "it is not a snapshot of this version");
    if (header_hash(h) != h->header_hash)
        return damaged(l, "its header is damaged");
    if (!memchr(h->model, 0, sizeof h->model))
        return damaged(l, "its model has no name");
    if (h->dimensions != o->dimensions || strcmp(h->model, o->model) != 0)
        return fail(l->e, ST_CONFLICT, "the snapshot %s is of %s with %u dimensions, not of %s with %u", l->path,
                    h->model, h->dimensions, o->model, o->dimensions);
    if (h->file_bytes != l->bytes)
        return damaged(l, "it is cut short");
    if (h->parts_bytes > l->bytes - PAGE || h->rows > (uint64_t)ROWS_CHUNKS_MAX * ROWS_CHUNK ||
        h->rows_offset != (PAGE + h->parts_bytes + PAGE - 1) / PAGE * PAGE || h->rows_offset > l->bytes ||
        l->bytes - h->rows_offset != h->rows * h->dimensions * sizeof(float))
        return damaged(l, "its sizes do not fit together");
    return OK;
}

static enum status hash_check(struct load *l)
{
    const struct header *h = &l->header;
    if (XXH3_64bits(l->image + PAGE, (size_t)h->parts_bytes) != h->parts_hash)
        return damaged(l, "the checksum of its codes is wrong");
    if (XXH3_64bits(l->image + h->rows_offset, l->bytes - (size_t)h->rows_offset) != h->rows_hash)
        return damaged(l, "the checksum of its rows is wrong");
    return OK;
}

/* The next `bytes` of the parts, copied to `to`. */
static bool take(struct load *l, uint64_t *at, void *to, size_t bytes)
{
    if (bytes > l->header.parts_bytes - *at)
        return false;
    memcpy(to, l->image + PAGE + *at, bytes);
    *at += bytes;
    return true;
}

static bool numbers_valid(const struct segment *g, uint32_t count)
{
    float radius = atomic_load_explicit(&g->radius, memory_order_relaxed);
    bool valid = isfinite(radius) && radius >= 0;
    for (uint32_t i = 0; i < g->dimensions && valid; i++)
        valid = isfinite(g->mean[i]);
    for (uint32_t i = 0; i < count && valid; i++)
        valid = isfinite(g->row[i].scale) && isfinite(g->row[i].resid) && g->row[i].resid >= 0;
    return valid;
}

static enum status part_load(struct load *l, uint64_t *at, uint32_t *first_slot)
{
    struct part head;
    if (!take(l, at, &head, sizeof head) || head.count < 1 || head.count > SEGMENT_ROWS_MAX ||
        head.count > l->header.rows - *first_slot)
        return damaged(l, "a segment has no sense");
    uint32_t n = head.count, capacity = n < SEGMENT_ROWS_MIN ? SEGMENT_ROWS_MIN : n;
    struct segment *g = segment_new(l->m->dimensions, capacity, NULL, head.mean_rows);
    bool whole = take(l, at, g->mean, g->dimensions * sizeof *g->mean) &&
                 take(l, at, g->codes, (size_t)n * g->stride) && take(l, at, g->row, n * sizeof *g->row) &&
                 take(l, at, g->id, n * sizeof *g->id) && take(l, at, g->packed, n * sizeof *g->packed) &&
                 take(l, at, g->category, n * sizeof *g->category);
    atomic_init(&g->radius, head.radius);
    if (!whole || !numbers_valid(g, n)) {
        segment_free(g);
        return damaged(l, "a segment has no sense");
    }
    for (uint32_t i = 0; i < n; i++)
        g->slot[i] = (*first_slot)++;
    atomic_store(&g->count, n);
    struct partition *p = matrix_partition(l->m, head.user);
    partition_adopt(l->m, p ? p : matrix_partition_add(l->m, head.user), g);
    return OK;
}

static enum status parts_load(struct load *l)
{
    uint64_t at = 0;
    uint32_t slot = 0;
    enum status s = OK;
    for (uint32_t i = 0; i < l->header.segments && s == OK; i++)
        s = part_load(l, &at, &slot);
    if (s == OK && (at != l->header.parts_bytes || slot != l->header.rows))
        return damaged(l, "its sizes do not fit together");
    return s == OK ? rows_map(&l->m->rows, l->fd, l->header.rows_offset, slot, l->e) : s;
}

static struct snapshot_state state_of(const struct header *h)
{
    return (struct snapshot_state){ .mark = h->mark, .complete = h->flags & FLAG_COMPLETE };
}

static void image_close(struct load *l)
{
    if (l->image)
        munmap((void *)l->image, l->bytes);
    if (l->fd >= 0)
        close(l->fd);
}

enum status snapshot_load(const char *path, const struct matrix_options *o, struct matrix **out,
                          struct snapshot_state *state, struct error *e)
{
    struct load l = { .path = path, .fd = -1, .e = e };
    *out = NULL;
    enum status s = matrix_new(o, &l.m, e);
    if (s == OK)
        s = image_open(&l);
    if (s == OK)
        s = header_check(&l, o);
    if (s == OK)
        s = hash_check(&l);
    if (s == OK)
        s = parts_load(&l);
    image_close(&l);
    if (s != OK) {
        matrix_free(l.m);
        return s;
    }
    *state = state_of(&l.header);
    *out = l.m;
    return OK;
}

enum status snapshot_peek(const char *path, const struct matrix_options *o, struct snapshot_state *state,
                          struct error *e)
{
    struct load l = { .path = path, .fd = -1, .e = e };
    enum status s = image_open(&l);
    if (s == OK)
        s = header_check(&l, o);
    image_close(&l);
    if (s == OK)
        *state = state_of(&l.header);
    return s;
}

void snapshot_seal(void *image, size_t bytes)
{
    struct header h;
    if (bytes < PAGE)
        return;
    memcpy(&h, image, sizeof h);
    const uint8_t *p = image;
    if (h.parts_bytes <= bytes - PAGE)
        h.parts_hash = XXH3_64bits(p + PAGE, (size_t)h.parts_bytes);
    if (h.rows_offset <= bytes)
        h.rows_hash = XXH3_64bits(p + h.rows_offset, bytes - (size_t)h.rows_offset);
    h.header_hash = header_hash(&h);
    memcpy(image, &h, sizeof h);
}
