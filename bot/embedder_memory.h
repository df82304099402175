/* SPDX-License-Identifier: MIT
 * embedder_memory: the embedder, the live index and the queries' vectors, made from the configuration; for the server
 * and for the commands that search or embed. */
#ifndef BOT_EMBEDDER_MEMORY_H
#define BOT_EMBEDDER_MEMORY_H

#include "bot/config.h"
#include "embeddings/query_vector.h"
#include "embeddings/recall.h"
#include "store/store.h"

struct memory {
    struct embedder *embedder;
    struct recall *recall;
    struct query_vectors *vectors;
    char *folder, *snapshot; /* NULL = none */
};
/* An embedding key or base URL (EMBEDDING_*, else OPENAI_*) means that server; otherwise the built-in embedder.  The
 * snapshot lies beside the SQLite file; with PostgreSQL under $XDG_CACHE_HOME or ~/.cache. */
enum status MUST_CHECK memory_open(struct memory *, const struct config *, struct store *, struct error *);
/* Write the queries' calls to the server into the ledger.  Blocks on the database; on failure they stay for the next
 * time. */
enum status MUST_CHECK memory_account(struct memory *, struct store *, struct error *);
void memory_close(struct memory *); /* also after a failed open, or zeros */
/* As memory_open, without index and snapshot. */
enum status MUST_CHECK memory_embedder(const struct config *, struct embedder **, struct error *);

#endif
