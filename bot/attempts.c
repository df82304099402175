/* SPDX-License-Identifier: MIT
 * attempts: one bucket per client, found by a keyed hash of its name.  Loop thread.
 * Two clients with the same hash would share a bucket; without the key nobody can arrange that. */
#include "bot/attempts.h"

#include "base/arena.h"
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct bucket {
    uint64_t key; /* 0 = free */
    double left;
    int64_t at_ms;
};

struct attempts {
    int at_once, interval_ms;
    uint64_t seed;
    struct bucket bucket[ATTEMPTS_CLIENTS_MAX];
};

struct attempts *attempts_new(int at_once, int interval_ms)
{
    struct attempts *a = xcalloc(1, sizeof *a);
    a->at_once = at_once;
    a->interval_ms = interval_ms;
    if (RAND_bytes((unsigned char *)&a->seed, sizeof a->seed) != 1)
        abort(); /* no randomness: nothing this process promises would hold */
    return a;
}

void attempts_free(struct attempts *a)
{
    free(a);
}

static uint64_t key_of(const struct attempts *a, const char *client)
{
    return XXH3_64bits_withSeed(client, strlen(client), a->seed) | 1;
}

static double left_at(const struct attempts *a, const struct bucket *b, int64_t now_ms)
{
    double left = b->left + (double)(now_ms - b->at_ms) / a->interval_ms;
    return left < a->at_once ? left : a->at_once;
}

int attempts_wait_s(const struct attempts *a, const char *client, int64_t now_ms)
{
    uint64_t key = key_of(a, client);
    for (int i = 0; i < ATTEMPTS_CLIENTS_MAX; i++) {
        const struct bucket *b = &a->bucket[i];
        if (b->key != key)
            continue;
        double left = left_at(a, b, now_ms);
        return left >= 1 ? 0 : 1 + (int)((1 - left) * a->interval_ms / 1000);
    }
    return 0;
}

void attempts_failed(struct attempts *a, const char *client, int64_t now_ms)
{
    uint64_t key = key_of(a, client);
    struct bucket *place = &a->bucket[0];
    for (int i = 0; i < ATTEMPTS_CLIENTS_MAX && place->key != key; i++) {
        struct bucket *b = &a->bucket[i];
        if (b->key == key || !b->key || (place->key && b->at_ms < place->at_ms))
            place = b;
    }
    double left = place->key == key ? left_at(a, place, now_ms) : a->at_once;
    *place = (struct bucket){ key, left >= 1 ? left - 1 : 0, now_ms };
}
