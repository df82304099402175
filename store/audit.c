/* SPDX-License-Identifier: MIT
 * audit: see audit.h.  Called inside the transactions that change requests: an event and its effect commit together. */
#include "store/audit.h"

#include "base/hex.h"
#include "base/json.h"
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define FIRST_PREVIOUS "0000000000000000000000000000000000000000000000000000000000000000"
#define AUDIT_LOCK "7310579611" /* any number that nothing else locks */

static void hash_text(EVP_MD_CTX *ctx, const char *s)
{
    EVP_DigestUpdate(ctx, s, strlen(s) + 1);
}

static void hash_number(EVP_MD_CTX *ctx, int64_t v)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, v);
    hash_text(ctx, digits);
}

void audit_hash(const struct audit_row *r, char out[AUDIT_HASH_CHARS + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    hash_text(ctx, r->previous);
    hash_number(ctx, r->seq);
    hash_number(ctx, r->at_ms);
    hash_text(ctx, r->request_id);
    hash_text(ctx, r->event);
    hash_text(ctx, r->actor);
    hash_text(ctx, r->detail);
    EVP_DigestFinal_ex(ctx, digest, NULL);
    EVP_MD_CTX_free(ctx);
    hex_put(out, digest, AUDIT_HASH_CHARS / 2);
}

enum status audit_lock(struct db *db, struct error *e)
{
    if (db_kind(db) == DB_SQLITE)
        return OK;
    return db_run_later(db, e, "SELECT pg_advisory_xact_lock(" AUDIT_LOCK ")");
}

/* The newest row's seq and hash; on PostgreSQL nobody else appends until this transaction ends. */
static enum status audit_tail(struct db *db, int64_t *seq, char previous[AUDIT_HASH_CHARS + 1], struct error *e)
{
    *seq = 0;
    memcpy(previous, FIRST_PREVIOUS, sizeof FIRST_PREVIOUS);
    if (audit_lock(db, e))
        return e->status;
    struct stmt *s = db_query(db, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
    while (db_step(s)) {
        *seq = db_int(s, 0);
        snprintf(previous, AUDIT_HASH_CHARS + 1, "%s", db_text(s, 1));
    }
    return db_done(s, e);
}

enum status audit_add(struct db *db, const char *request_id, const char *event, const char *actor,
                      struct json_object *detail, int64_t now_ms, struct error *e)
{
    char previous[AUDIT_HASH_CHARS + 1], hash[AUDIT_HASH_CHARS + 1];
    struct arena *a = arena_new();
    struct audit_row r = { .at_ms = now_ms, .request_id = request_id, .event = event, .actor = actor };
    enum status s = audit_tail(db, &r.seq, previous, e);
    r.seq++;
    r.previous = previous;
    r.detail = detail ? json_text(a, detail) : "{}";
    if (s == OK) {
        audit_hash(&r, hash);
        s = db_run_later(db, e,
                         "INSERT INTO audit (seq, at, request_id, event, actor, detail, previous, hash)"
                         " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                         p_int(r.seq), p_int(r.at_ms), p_text(r.request_id), p_text(r.event), p_text(r.actor),
                         p_text(r.detail), p_text(r.previous), p_text(hash));
    }
    arena_free(a);
    return s;
}

enum status audit_read(struct db *db, struct arena *a, int64_t after_seq, const char *request_id, int max,
                       struct audit_row **rows, int *count, struct error *e)
{
    *rows = arena_alloc(a, (size_t)max * sizeof **rows);
    *count = 0;
    struct stmt *s = db_query(db,
                              "SELECT seq, at, request_id, event, actor, detail, previous, hash FROM audit"
                              " WHERE seq > $1 AND (CAST($2 AS TEXT) IS NULL OR request_id = $2)"
                              " ORDER BY seq LIMIT $3",
                              p_int(after_seq), p_text(request_id), p_int(max));
    while (db_step(s)) {
        struct audit_row *r = &(*rows)[(*count)++];
        *r = (struct audit_row){ db_int(s, 0),
                                 db_int(s, 1),
                                 arena_strdup(a, db_text(s, 2)),
                                 arena_strdup(a, db_text(s, 3)),
                                 arena_strdup(a, db_text(s, 4)),
                                 arena_strdup(a, db_text(s, 5)),
                                 arena_strdup(a, db_text(s, 6)),
                                 arena_strdup(a, db_text(s, 7)) };
    }
    return db_done(s, e);
}
