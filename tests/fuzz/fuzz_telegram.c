/* SPDX-License-Identifier: MIT
 * fuzz_telegram: any bytes as Telegram's answer to a call, under any HTTP code: every answer has a verdict, and only
 * one that says so counts as done. */
#include "base/json.h"
#include "base/text.h"
#include "bot/telegram.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check_verdicts(const struct telegram_answer *answer)
{
    for (int st = OK; st < ST_COUNT; st++)
        for (int repeatable = 0; repeatable < 2; repeatable++) {
            enum telegram_verdict v = telegram_judge((enum status)st, answer, repeatable);
            if (v > TG_DENIED || (v == TG_UNKNOWN && repeatable) || (v == TG_MIGRATED && !answer->migrate_to_chat_id) ||
                (v == TG_WAIT && answer->envelope && answer->retry_after_ms < 0) ||
                (v == TG_DONE && (st != OK || !answer->envelope || (answer->code >= 500 && !answer->ok))))
                abort();
        }
}

/* The first byte picks the HTTP code, the second the Retry-After header. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const int codes[] = { 200, 200, 200, 204, 302, 400, 401, 403, 404, 409, 413, 429, 500, 502, 503, 100 };
    if (size < 2)
        return 0;
    struct arena *a = arena_new();
    struct telegram_answer answer;
    struct http_reply reply = { .code = codes[data[0] % (sizeof codes / sizeof *codes)],
                                .body = arena_strndup(a, (const char *)data + 2, size - 2),
                                .body_len = size - 2,
                                .retry_after_ms = data[1] & 1 ? data[1] * 100 : -1,
                                .content_type = "" };
    telegram_answer_read(a, &reply, &answer);
    if (!answer.description || !text_valid(answer.description, strlen(answer.description)) ||
        answer.retry_after_ms < -1 || (answer.ok && !answer.envelope))
        abort();
    check_verdicts(&answer);
    json_str(answer.result, "username", "");
    json_int(answer.result, "message_id", 0);
    arena_free(a);
    return 0;
}
