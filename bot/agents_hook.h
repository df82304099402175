/* SPDX-License-Identifier: MIT
 * agents_hook: one hook of a coding agent under way; for agents_hook.c and agents_hook_store.c only. */
#ifndef BOT_AGENTS_HOOK_H
#define BOT_AGENTS_HOOK_H

#include "bot/agents_call.h"
#include "router/hook.h"

struct hook_call {
    enum hook_dialect dialect;
    bool keep;
    char *project;                   /* NULL = from cwd */
    char *key;                       /* X-Steward-Request; NULL = none */
    int64_t until_ms;                /* monotonic: when the refusal must be out */
    bool wait_next;                  /* a Stop asks "what next?" */
    char *names[HOOK_QUESTIONS_MAX]; /* of the requests, once they are stored */
    int count;
    _Atomic(char *) refusal; /* what is answered when time is up; NULL until the hook was read */
};

/* Desk threads.  What the hook asks or tells becomes rows, durably; a hook that was stored before finds its own.  The
 * names of its requests are then in c->hook. */
enum status MUST_CHECK hook_store(struct call *, struct arena *, const struct hook *, struct error *);
/* "claude:SESSION": whose question it is; the arena's. */
const char *hook_origin(struct arena *, const struct hook *);

#endif
