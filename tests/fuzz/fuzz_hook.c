/* SPDX-License-Identifier: MIT
 * fuzz_hook: any bytes as an agent's hook: what is read can be shown and decided in both dialects, and an answer that
 * never came is no yes; and through the masking of secrets, which leaves valid text. */
#include "base/secrets.h"
#include "base/text.h"
#include "router/hook.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void must_show(const char *s)
{
    if (!s || !text_valid(s, strlen(s)))
        abort();
}

static void must_not_allow(struct arena *a, struct json_object *decision)
{
    const char *s = decision ? json_text(a, decision) : "";
    if (!strcmp(json_str(decision, "hookSpecificOutput.decision.behavior", ""), "allow") ||
        !strcmp(json_str(decision, "hookSpecificOutput.permissionDecision", ""), "allow") ||
        (decision && !strstr(s, "\"deny\"")))
        abort();
}

static void check_question(struct arena *a, const struct hook *hook, const struct hook_question *q)
{
    must_show(q->message);
    if (q->details)
        must_show(q->details);
    if (!q->details != !q->details_name || q->button_count < 1 ||
        text_utf16_units(q->message, strlen(q->message)) > HOOK_MESSAGE_UNITS_MAX + 16)
        abort();
    for (int i = 0; i < q->button_count; i++) {
        struct hook_answer answers[HOOK_QUESTIONS_MAX];
        must_show(q->buttons[i].label);
        for (int n = 0; n < HOOK_QUESTIONS_MAX; n++)
            answers[n] = (struct hook_answer){ HOOK_ANSWERED, .value = q->buttons[i].value };
        hook_decide(a, hook, answers, hook->question_count);
        for (int n = 0; n < HOOK_QUESTIONS_MAX; n++)
            answers[n].outcome = HOOK_EXPIRED;
        must_not_allow(a, hook_decide(a, hook, answers, hook->question_count));
    }
}

static void check_hook(enum hook_dialect dialect, struct json_object *body)
{
    struct arena *a = arena_new();
    struct hook hook;
    struct error e;
    if (hook_read(a, dialect, body, NULL, &hook, &e) == OK && hook.kind != HOOK_NOTHING) {
        hook_key(a, &hook);
        must_show(hook.project);
        if (hook.kind == HOOK_TELL)
            must_show(hook.message);
        hook_wait_for_next(a, &hook);
        for (int i = 0; i < hook.question_count; i++)
            check_question(a, &hook, &hook.questions[i]);
        if (hook.kind == HOOK_ASK)
            must_not_allow(a, hook_decide(a, &hook, NULL, 0));
    }
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena *a = arena_new();
    struct json_object *body;
    struct error e;
    const char *masked = text_mask_secrets(a, text_clean(a, (const char *)data, size));
    must_show(masked);
    if (json_parse_in(a, (const char *)data, size, &body, &e) == OK) {
        check_hook(HOOK_CLAUDE, body);
        check_hook(HOOK_CODEX, body);
    }
    arena_free(a);
    return 0;
}
