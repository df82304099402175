/* SPDX-License-Identifier: MIT
 * model_message: makes a conversation regular before a provider's row writes it down.  History is cut and filtered by
 * others, so what arrives may begin with an answer, hold empty texts or two turns of one person in a row; every
 * API refuses some of that.  Pure; called by the rows' build functions on worker threads. */
#include "router/provider.h"
#include <string.h>

static bool blank(const char *s)
{
    return !s || s[strspn(s, " \t\r\n")] == '\0';
}

static enum status check_step(const struct model_message *before, const struct model_message *m, struct error *e)
{
    if (m->role == MODEL_RESULTS) {
        if (!before || before->role != MODEL_ASSISTANT || !before->raw)
            return fail(e, ST_INVALID, "the conversation holds tool results without the calls they answer");
        if (m->result_count < 1 || m->result_count > MODEL_CALLS_MAX)
            return fail(e, ST_INVALID, "the conversation holds %d tool results in one step", m->result_count);
    }
    if (m->role == MODEL_ASSISTANT && before && before->role == MODEL_ASSISTANT)
        return fail(e, ST_INVALID, "the conversation holds two model steps in a row");
    return OK;
}

/* Joins m to the message before when both are plain words of one side. */
static bool joined(struct arena *arena, struct model_message *before, const struct model_message *m)
{
    if (!before || before->role != m->role || before->raw || m->raw || m->role == MODEL_RESULTS)
        return false;
    before->text = arena_printf(arena, "%s\n\n%s", before->text, m->text);
    return true;
}

enum status model_messages(struct arena *arena, const struct model_request *request, struct model_message **out,
                           int *count, struct error *e)
{
    if (request->message_count > MODEL_MESSAGES_MAX)
        return fail(e, ST_LIMIT, "the conversation has %d messages; at most %d can be sent", request->message_count,
                    MODEL_MESSAGES_MAX);
    struct model_message *list = arena_alloc(arena, MODEL_MESSAGES_MAX * sizeof *list);
    int n = 0;
    for (int i = 0; i < request->message_count; i++) {
        const struct model_message *m = &request->messages[i];
        bool plain = m->role != MODEL_RESULTS && !m->raw;
        if ((plain && blank(m->text)) || (n == 0 && m->role == MODEL_ASSISTANT && plain))
            continue;
        struct model_message *before = n ? &list[n - 1] : NULL;
        if (joined(arena, before, m))
            continue;
        enum status st = check_step(before, m, e);
        if (st != OK)
            return st;
        list[n++] = *m;
    }
    if (n == 0 || list[0].role != MODEL_USER)
        return fail(e, ST_INVALID, "the conversation does not begin with a person's words");
    if (list[n - 1].role == MODEL_ASSISTANT)
        return fail(e, ST_INVALID, "the conversation does not end with a person's words or tool results");
    *out = list;
    *count = n;
    return OK;
}
