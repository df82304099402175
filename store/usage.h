/* SPDX-License-Identifier: MIT
 * usage: the ledger of model calls.  Inside a transaction of the caller. */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include "store/db.h"

struct usage {
    int64_t inbox_id; /* 0 = none */
    const char *provider, *model, *outcome;
    int64_t input_tokens, cached_tokens, output_tokens, elapsed_ms;
};
enum status MUST_CHECK usage_add(struct db *, const struct usage *, int64_t now_ms, struct error *);
/* When a person was last told that the day's tokens are used up (0 = never), and that they are told now. */
enum status MUST_CHECK usage_limit_told(struct db *, int64_t *at_ms, struct error *);
enum status MUST_CHECK usage_limit_tell(struct db *, int64_t now_ms, struct error *);
/* Input and output tokens since an instant. */
enum status MUST_CHECK usage_tokens_since(struct db *, int64_t since_ms, int64_t *tokens, struct error *);

#endif
