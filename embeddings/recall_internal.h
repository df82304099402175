/* SPDX-License-Identifier: MIT
 * recall_internal: one user's live index, shared by recall*.c only. */
#ifndef EMBEDDINGS_RECALL_INTERNAL_H
#define EMBEDDINGS_RECALL_INTERNAL_H

#include "embeddings/lexical.h"
#include "embeddings/matrix.h"
#include "embeddings/recall.h"
#include <pthread.h>
#include <stdatomic.h>

/* What is kept of a row. */
struct item {
    int64_t key; /* type and id; 0 = a free slot, -1 = a slot whose item has gone */
    int64_t created_ms;
    uint64_t hash, words_hash; /* of what is embedded, of what the word index holds */
    int32_t day;               /* its own date, or the UTC day it was made on */
    uint16_t category;         /* index of user.category plus one; 0 = none */
    bool dated, completed;
    bool fresh;    /* the matrix holds the vector of this text */
    bool given_up; /* this text cannot be embedded */
    bool brief;    /* reads like a chat turn */
};
static inline int64_t item_key(int type, int64_t id)
{
    return ((int64_t)(type + 1) << 56) | id; /* sorts by type, then id; ids stay below 2^56 for a while */
}
static inline int item_type(int64_t key)
{
    return (int)(key >> 56) - 1;
}
static inline int64_t item_id(int64_t key)
{
    return key & (((int64_t)1 << 56) - 1);
}

struct session_note {
    int64_t created_ms, key;
};

enum { WANT_MAX = 256 };

struct recall_user {
    int64_t user_id;
    pthread_mutex_t lock; /* of all below but the counters */
    bool loaded;
    bool met;         /* its rows were read before */
    bool trusted;     /* the matrix' rows came from the snapshot and stand for everything before `position` */
    int64_t position; /* of the feed */
    int64_t window_count, window_newest; /* what stood above the position when all rows were read */
    struct lexical *lexical;
    struct item *slot;
    size_t slots, used; /* used: slots that are not free, those of gone items too */
    char **category;
    size_t categories;
    struct session_note *note; /* brief notes by time; NULL = to be made anew */
    size_t notes;
    _Atomic uint64_t documents, wanted, given_up;
    /* Keys that have become wanted (some are not any more); all of them unless there were too many, then the items
     * tell. */
    int64_t want[WANT_MAX];
    size_t wants;
    bool wants_more;
    _Atomic int64_t used_at_ms;
    struct recall_user *next;
};

struct recall {
    struct recall_options options; /* own copies */
    pthread_mutex_t lock;          /* of the list and of making the matrix */
    struct recall_user *users;
    struct matrix *_Atomic matrix; /* NULL until the first vector */
    const char *matrix_name;       /* names database and model in the snapshot; NULL until somebody needs it */
    bool begun;                    /* the snapshot was looked at */
    int64_t mark;                  /* of the loaded snapshot; 0 = none */
    _Atomic uint64_t loads;
};

/* Loads the snapshot, when it is of this database and model and the feed reaches back to it; once. */
void recall_load(struct recall *, struct db *);
struct recall_user *recall_user_of(struct recall *, int64_t user_id);
/* Under the user's lock. */
enum status MUST_CHECK recall_user_sync(struct recall *, struct recall_user *, struct db *, struct error *);
enum status MUST_CHECK recall_user_load(struct recall *, struct recall_user *, struct db *, struct error *);
void recall_user_clear(struct recall *, struct recall_user *);
struct item *recall_item(struct recall_user *, int64_t key); /* NULL = not there */
/* The brief notes by time. */
void recall_user_sessions(struct recall_user *);
struct matrix_item recall_matrix_item(const struct recall_user *, const struct item *);
struct matrix *recall_matrix(struct recall *); /* made when it is not there; NULL = words alone */

#endif
