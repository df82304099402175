/* SPDX-License-Identifier: MIT
 * Requests made from outbox rows, the table of Telegram's answers, multipart bodies, the masking of the token, and how
 * a result settles.  No network. */
#include "base/json.h"
#include "base/limits.h"
#include "bot/sender_settle.h"
#include "bot/telegram.h"
#include "bot/telegram_client.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_new();
}

static void teardown(void)
{
    arena_free(arena);
}

static struct json_object *build(const char *kind, const char *payload, struct outbox_row *row, unsigned flags,
                                 struct telegram_request *request)
{
    struct outbox_row plain = { .chat_id = 42 };
    struct error e = { 0 };
    row = row ? row : &plain;
    row->kind = kind;
    row->payload = payload;
    ck_assert_msg(telegram_request_for(arena, row, flags, request, &e) == OK, "%s", e.text);
    if (strcmp(request->content_type, "application/json") != 0)
        return NULL;
    ck_assert_uint_eq(strlen(request->body), request->body_len);
    struct json_object *o;
    ck_assert_int_eq(json_parse_in(arena, request->body, request->body_len, &o, &e), OK);
    return o;
}

static enum status refused(const char *kind, const char *payload, unsigned flags)
{
    struct outbox_row row = { .chat_id = 42, .kind = kind, .payload = payload };
    struct telegram_request request;
    struct error e = { 0 };
    return telegram_request_for(arena, &row, flags, &request, &e);
}

START_TEST(test_message)
{
    struct outbox_row row = { .chat_id = -1001, .thread_id = 7 };
    struct telegram_request r;
    struct json_object *o =
        build("message",
              "{\"html\":\"<b>a</b> &amp; b\",\"buttons\":[[{\"text\":\"Done\",\"data\":\"d:1\"},{\"text\":\"Web\","
              "\"url\":\"https://x\"}],[]],\"reply_to\":5,\"silent\":true}",
              &row, 0, &r);
    ck_assert_str_eq(r.method, "sendMessage");
    ck_assert(!r.repeatable);
    ck_assert_int_eq(json_int(o, "chat_id", 0), -1001);
    ck_assert_int_eq(json_int(o, "message_thread_id", 0), 7);
    ck_assert_str_eq(json_str(o, "text", ""), "<b>a</b> &amp; b");
    ck_assert_str_eq(json_str(o, "parse_mode", ""), "HTML");
    ck_assert(json_flag(o, "link_preview_options.is_disabled", false));
    ck_assert(json_flag(o, "disable_notification", false));
    ck_assert_int_eq(json_int(o, "reply_parameters.message_id", 0), 5);
    ck_assert(json_flag(o, "reply_parameters.allow_sending_without_reply", false));
    struct json_object *rows = json_at(o, "reply_markup.inline_keyboard");
    ck_assert_uint_eq(json_object_array_length(rows), 1);
    ck_assert_str_eq(json_text(arena, rows),
                     "[[{\"text\":\"Done\",\"callback_data\":\"d:1\"},{\"text\":\"Web\",\"url\":\"https://x\"}]]");
}
END_TEST

START_TEST(test_message_in_other_forms)
{
    struct outbox_row row = { .chat_id = -1, .thread_id = 7 };
    struct telegram_request r;
    const char *payload = "{\"html\":\"<b>a</b> &amp; b\",\"reply_to\":5}";
    struct json_object *o =
        build("message", payload, &row, TELEGRAM_PLAIN | TELEGRAM_NO_THREAD | TELEGRAM_NO_REPLY, &r);
    ck_assert_str_eq(json_str(o, "text", ""), "a & b");
    ck_assert(!json_has(o, "parse_mode") && !json_has(o, "message_thread_id") && !json_has(o, "reply_parameters"));
    ck_assert(!json_has(o, "reply_markup") && !json_has(o, "disable_notification"));
    row.thread_id = 1; /* General */
    ck_assert(!json_has(build("message", payload, &row, 0, &r), "message_thread_id"));
    row.unknowns = 1;
    const char *text = json_str(build("message", payload, &row, 0, &r), "text", "");
    ck_assert_str_eq(text, "<b>a</b> &amp; b\n\n<i>↻ Sent again: the first attempt got no answer.</i>");
    text = json_str(build("message", payload, &row, TELEGRAM_PLAIN, &r), "text", "");
    ck_assert_ptr_nonnull(strstr(text, "a & b\n\n↻ Sent again: the first attempt got no answer."));
}
END_TEST

START_TEST(test_edit)
{
    struct telegram_request r;
    struct json_object *o = build("edit", "{\"message_id\":9,\"html\":\"x\"}", NULL, 0, &r);
    ck_assert_str_eq(r.method, "editMessageText");
    ck_assert(r.repeatable);
    ck_assert_int_eq(json_int(o, "message_id", 0), 9);
    ck_assert(!json_has(o, "reply_markup"));
    o = build("edit", "{\"message_id\":9,\"buttons\":[]}", NULL, 0, &r);
    ck_assert_str_eq(r.method, "editMessageReplyMarkup");
    ck_assert(!json_has(o, "text"));
    ck_assert_str_eq(json_text(arena, json_at(o, "reply_markup")), "{\"inline_keyboard\":[]}");
    o = build("edit", "{\"message_id\":9,\"html\":\"x\",\"buttons\":[[{\"text\":\"a\",\"data\":\"b\"}]]}", NULL,
              TELEGRAM_AS_NEW, &r);
    ck_assert_str_eq(r.method, "sendMessage");
    ck_assert(!r.repeatable && !json_has(o, "message_id") && json_has(o, "reply_markup"));
    ck_assert_int_eq(refused("edit", "{\"message_id\":9,\"buttons\":[]}", TELEGRAM_AS_NEW), ST_NOT_FOUND);
    ck_assert_int_eq(refused("edit", "{\"html\":\"x\"}", 0), ST_INVALID);
}
END_TEST

START_TEST(test_tap)
{
    struct telegram_request r;
    struct json_object *o = build("tap", "{\"callback_id\":\"77\",\"text\":\"ok\",\"alert\":true}", NULL, 0, &r);
    ck_assert_str_eq(r.method, "answerCallbackQuery");
    ck_assert(r.repeatable && json_flag(o, "show_alert", false) && !json_has(o, "chat_id"));
    ck_assert_str_eq(json_str(o, "callback_query_id", ""), "77");
    char payload[1024] = "{\"callback_id\":\"77\",\"text\":\"";
    memset(payload + strlen(payload), 'x', 300);
    strcat(payload, "\"}");
    o = build("tap", payload, NULL, 0, &r);
    ck_assert_uint_eq(strlen(json_str(o, "text", "")), 200);
    ck_assert_int_eq(refused("tap", "{}", 0), ST_INVALID);
}
END_TEST

START_TEST(test_payloads_that_cannot_be_sent)
{
    ck_assert_int_eq(refused("message", "{}", 0), ST_INVALID);
    ck_assert_int_eq(refused("message", "{\"html\":\"\"}", 0), ST_INVALID);
    ck_assert_int_eq(refused("message", "not json", 0), ST_INVALID);
    ck_assert_int_eq(refused("document", "{\"filename\":\"a\"}", 0), ST_INVALID);
    ck_assert_int_eq(refused("fax", "{\"html\":\"a\"}", 0), ST_INVALID);
}
END_TEST

START_TEST(test_topic)
{
    struct outbox_row row = { .chat_id = -1001, .topic_id = 4, .thread_id = 9 };
    struct telegram_request r;
    struct json_object *o = build("topic", "{\"name\":\"web <&>\",\"topic\":4}", &row, 0, &r), *reopen;
    ck_assert_str_eq(r.method, "createForumTopic");
    ck_assert(!r.repeatable); /* a second one would be a second topic */
    ck_assert_str_eq(json_text(arena, o), "{\"chat_id\":-1001,\"name\":\"web <&>\"}");
    ck_assert_int_eq(refused("topic", "{\"topic\":4}", 0), ST_INVALID);
    telegram_request_reopen(arena, &row, &r);
    ck_assert_str_eq(r.method, "reopenForumTopic");
    ck_assert_int_eq(json_parse_in(arena, r.body, r.body_len, &reopen, NULL), OK);
    ck_assert_str_eq(json_text(arena, reopen), "{\"chat_id\":-1001,\"message_thread_id\":9}");
}
END_TEST

START_TEST(test_styles_and_force_reply)
{
    struct telegram_request r;
    struct json_object *o =
        build("message",
              "{\"html\":\"x\",\"buttons\":[[{\"text\":\"No\",\"data\":\"n\",\"style\":\"danger\"}]],"
              "\"force_reply\":true}",
              NULL, 0, &r);
    ck_assert_str_eq(json_str(o, "reply_markup.inline_keyboard.0.0.style", ""), "danger");
    ck_assert(!json_has(o, "reply_markup.force_reply"));
    o = build("message", "{\"html\":\"x\",\"force_reply\":true,\"placeholder\":\"Your answer\"}", NULL, 0, &r);
    ck_assert(json_flag(o, "reply_markup.force_reply", false));
    ck_assert_str_eq(json_str(o, "reply_markup.input_field_placeholder", ""), "Your answer");
    char payload[256];
    snprintf(payload, sizeof payload, "{\"html\":\"x\",\"force_reply\":true,\"placeholder\":\"%065d\"}", 0);
    o = build("message", payload, NULL, 0, &r);
    ck_assert(json_flag(o, "reply_markup.force_reply", false));
    ck_assert(!json_has(o, "reply_markup.input_field_placeholder"));
}
END_TEST

/* ---- multipart ---- */

/* Takes one part off *at; checks the framing. */
static const char *next_part(const char **at, const char *end, const char *boundary, size_t *len)
{
    size_t mark = strlen(boundary);
    ck_assert(strncmp(*at, "--", 2) == 0 && strncmp(*at + 2, boundary, mark) == 0);
    *at += 2 + mark;
    if (strncmp(*at, "--\r\n", 4) == 0) {
        ck_assert_ptr_eq(*at + 4, end);
        return NULL;
    }
    ck_assert(strncmp(*at, "\r\n", 2) == 0);
    const char *part = *at + 2;
    char closing[128];
    int n = snprintf(closing, sizeof closing, "\r\n--%s", boundary);
    const char *stop = memmem(part, (size_t)(end - part), closing, (size_t)n);
    ck_assert_ptr_nonnull(stop);
    *len = (size_t)(stop - part);
    *at = stop + 2;
    return part;
}

START_TEST(test_multipart)
{
    struct multipart_field field[] = { { "chat_id", "-5" }, { "caption", "two\r\nlines --steward-" } };
    static const char content[] = "\r\n--steward-\0 zero\r\n--";
    struct multipart_file file = { "document", "a\"b\r\nc.txt", "text/plain", content, sizeof content - 1 };
    size_t len, part_len;
    const char *type, *body = multipart_body(arena, field, 2, &file, &len, &type);
    const char *prefix = "multipart/form-data; boundary=", *at = body;
    ck_assert(strncmp(type, prefix, strlen(prefix)) == 0);
    const char *boundary = type + strlen(prefix);
    const char *part = next_part(&at, body + len, boundary, &part_len);
    ck_assert_str_eq(arena_strndup(arena, part, part_len),
                     "Content-Disposition: form-data; name=\"chat_id\"\r\n\r\n-5");
    part = next_part(&at, body + len, boundary, &part_len);
    ck_assert_ptr_nonnull(strstr(arena_strndup(arena, part, part_len), "\r\n\r\ntwo\r\nlines --steward-"));
    part = next_part(&at, body + len, boundary, &part_len);
    const char *head = "Content-Disposition: form-data; name=\"document\"; filename=\"a%22b%0D%0Ac.txt\"\r\n"
                       "Content-Type: text/plain\r\n\r\n";
    ck_assert_uint_eq(part_len, strlen(head) + sizeof content - 1);
    ck_assert_mem_eq(part, head, strlen(head));
    ck_assert_mem_eq(part + strlen(head), content, sizeof content - 1);
    ck_assert_ptr_null(next_part(&at, body + len, boundary, &part_len));
    const char *other;
    multipart_body(arena, field, 2, &file, &len, &other);
    ck_assert_str_ne(type, other);
}
END_TEST

START_TEST(test_document)
{
    struct outbox_row row = { .chat_id = 42, .thread_id = 3 };
    struct telegram_request r;
    build("document", "{\"filename\":\"e.jsonl\",\"caption_html\":\"<b>x</b>\",\"content\":\"{}\\n\",\"silent\":true}",
          &row, 0, &r);
    ck_assert_str_eq(r.method, "sendDocument");
    ck_assert(!r.repeatable);
    static const char *const wanted[] = { "name=\"chat_id\"\r\n\r\n42\r\n",
                                          "name=\"message_thread_id\"\r\n\r\n3\r\n",
                                          "name=\"caption\"\r\n\r\n<b>x</b>\r\n",
                                          "name=\"parse_mode\"\r\n\r\nHTML\r\n",
                                          "name=\"disable_notification\"\r\n\r\ntrue\r\n",
                                          "filename=\"e.jsonl\"",
                                          "\r\n\r\n{}\n\r\n" };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        ck_assert_msg(strstr(r.body, wanted[i]) != NULL, "%s", wanted[i]);
    build("document", "{\"filename\":\"e\",\"caption_html\":\"<b>x</b>\",\"content\":\"1\"}", &row, TELEGRAM_PLAIN, &r);
    ck_assert(strstr(r.body, "\r\n\r\nx\r\n") && !strstr(r.body, "parse_mode"));
}
END_TEST

/* ---- answers ---- */

static struct telegram_answer answer_of(int code, const char *body)
{
    struct http_reply reply = { .code = code, .body = body, .body_len = strlen(body), .retry_after_ms = -1 };
    struct telegram_answer a;
    telegram_answer_read(arena, &reply, &a);
    return a;
}

static const struct {
    int code;
    const char *description;
    enum telegram_verdict verdict;
} judged[] = {
    { 400, "Bad Request: message is not modified: specified new message content", TG_DONE },
    { 400, "Bad Request: query is too old and response timeout expired or query ID is invalid", TG_DONE },
    { 400, "Bad Request: can't parse entities: Unsupported start tag \\\"x\\\" at byte offset 3", TG_PLAIN },
    { 400, "Bad Request: message to edit not found", TG_AS_NEW },
    { 400, "Bad Request: message can't be edited", TG_AS_NEW },
    { 400, "Bad Request: message thread not found", TG_NO_THREAD },
    { 400, "Bad Request: TOPIC_DELETED", TG_NO_THREAD },
    { 400, "Bad Request: TOPIC_CLOSED", TG_TOPIC_CLOSED },
    { 400, "Bad Request: TOPIC_NOT_MODIFIED", TG_DONE },
    { 400, "Bad Request: the chat is not a forum", TG_NO_FORUM },
    { 400, "Bad Request: not enough rights to create a topic", TG_NO_RIGHTS },
    { 400, "Bad Request: CHAT_ADMIN_REQUIRED", TG_NO_RIGHTS },
    { 400, "Bad Request: message to be replied not found", TG_NO_REPLY },
    { 400, "Bad Request: chat not found", TG_REJECTED },
    { 400, "Bad Request: BUTTON_DATA_INVALID", TG_REJECTED },
    { 400, "Bad Request: message is too long", TG_REJECTED },
    { 400, "Bad Request: group chat was upgraded to a supergroup chat", TG_REJECTED }, /* without the new id */
    { 401, "Unauthorized", TG_DENIED },
    { 403, "Forbidden: bot was blocked by the user", TG_REJECTED },
    { 404, "Not Found", TG_DENIED },
    { 409, "Conflict: terminated by other getUpdates request", TG_AGAIN },
    { 429, "Too Many Requests: retry after 3", TG_WAIT },
    { 500, "Internal Server Error: restart", TG_UNKNOWN },
    { 502, "Bad Gateway", TG_UNKNOWN },
};

START_TEST(test_verdicts)
{
    struct telegram_answer a =
        answer_of(judged[_i].code, arena_printf(arena, "{\"ok\":false,\"error_code\":%d,\"description\":\"%s\"}",
                                                judged[_i].code, judged[_i].description));
    ck_assert(a.envelope && !a.ok);
    ck_assert_int_eq(telegram_judge(OK, &a, false), judged[_i].verdict);
    enum telegram_verdict repeated = judged[_i].verdict == TG_UNKNOWN ? TG_AGAIN : judged[_i].verdict;
    ck_assert_int_eq(telegram_judge(OK, &a, true), repeated);
}
END_TEST

START_TEST(test_broken_connections)
{
    struct telegram_answer none = { .description = "" };
    ck_assert_int_eq(telegram_judge(ST_UNAVAILABLE, &none, false), TG_AGAIN);
    ck_assert_int_eq(telegram_judge(ST_UNKNOWN, &none, false), TG_UNKNOWN);
    ck_assert_int_eq(telegram_judge(ST_UNKNOWN, &none, true), TG_AGAIN);
    ck_assert_int_eq(telegram_judge(ST_SHUTDOWN, &none, false), TG_UNKNOWN);
    ck_assert_int_eq(telegram_judge(ST_LIMIT, &none, false), TG_UNKNOWN);
}
END_TEST

START_TEST(test_answers_that_are_not_telegrams)
{
    static const struct {
        int code;
        const char *body;
        enum telegram_verdict verdict;
    } row[] = {
        { 200, "<html>", TG_UNKNOWN },  { 200, "", TG_UNKNOWN },     { 200, "{\"ok\":1}", TG_UNKNOWN },
        { 502, "<html>", TG_UNKNOWN },  { 403, "<html>", TG_AGAIN }, { 401, "login", TG_AGAIN },
        { 413, "<html>", TG_REJECTED }, { 302, "", TG_UNKNOWN },     { 200, "[{\"ok\":true}]", TG_UNKNOWN },
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct telegram_answer a = answer_of(row[i].code, row[i].body);
        ck_assert(!a.envelope);
        ck_assert_msg(telegram_judge(OK, &a, false) == row[i].verdict, "%d %s", row[i].code, row[i].body);
    }
}
END_TEST

START_TEST(test_answer_fields)
{
    struct telegram_answer a = answer_of(200, "{\"ok\":true,\"result\":{\"message_id\":456}}");
    ck_assert(a.ok && a.envelope && a.retry_after_ms == -1);
    ck_assert_int_eq(json_int(a.result, "message_id", 0), 456);
    ck_assert_int_eq(telegram_judge(OK, &a, false), TG_DONE);
    a = answer_of(429, "{\"ok\":false,\"error_code\":429,\"description\":\"x\",\"parameters\":{\"retry_after\":17}}");
    ck_assert_int_eq(a.retry_after_ms, 17000);
    a = answer_of(429, "{\"ok\":false,\"error_code\":429,\"description\":\"x\"}");
    ck_assert_int_gt(a.retry_after_ms, 0);
    struct http_reply reply = { .code = 429, .body = "slow", .body_len = 4, .retry_after_ms = 2500 };
    telegram_answer_read(arena, &reply, &a);
    ck_assert_int_eq(a.retry_after_ms, 2500);
    ck_assert_int_eq(telegram_judge(OK, &a, false), TG_WAIT);
    a = answer_of(
        400, "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: group chat was upgraded to a supergroup "
             "chat\",\"parameters\":{\"migrate_to_chat_id\":-100123}}");
    ck_assert_int_eq(a.migrate_to_chat_id, -100123);
    ck_assert_int_eq(telegram_judge(OK, &a, false), TG_MIGRATED);
}
END_TEST

START_TEST(test_token_is_masked)
{
    struct telegram *t = telegram_new("http://127.0.0.1:1", "123456:SECRET", false);
    char out[64], small[9];
    telegram_mask(t, "http://x/bot123456:SECRET/sendMessage 123456:SECRET", out, sizeof out);
    ck_assert_str_eq(out, "http://x/bot***/sendMessage ***");
    telegram_mask(t, "aé€😀é", small, sizeof small);
    ck_assert_uint_lt(strlen(small), sizeof small);
    telegram_free(t);
}
END_TEST

START_TEST(test_pauses)
{
    struct telegram *t = telegram_new("http://127.0.0.1:1", "123456:SECRET", false);
    ck_assert_int_eq(telegram_pause_ms(t, 42), 0);
    telegram_pause_all(t, 50000);
    ck_assert_int_gt(telegram_pause_ms(t, 42), 40000);
    ck_assert_int_gt(telegram_pause_ms(t, 0), 40000);
    telegram_pause_all(t, 10);
    ck_assert_int_gt(telegram_pause_ms(t, 0), 40000);
    telegram_free(t);
}
END_TEST

/* ---- settling ---- */

static struct job settled(enum send_outcome outcome, int attempts, int unknowns, struct send_result extra)
{
    struct job job = { .row = { .attempts = attempts, .unknowns = unknowns }, .result = extra };
    job.result.outcome = outcome;
    settle_decide(&job);
    return job;
}

START_TEST(test_settlement)
{
    struct send_result none = { 0 }, wait = { .wait_ms = 4321, .blameless = true },
                       moved = { .migrated_to_chat_id = -9 }, lost = { .topic_lost = true };
    ck_assert_int_eq(settled(SEND_OK, 0, 0, none).settle, SETTLE_SENT);
    ck_assert_int_eq(settled(SEND_REJECTED, 0, 0, none).settle, SETTLE_PARK);
    ck_assert_int_eq(settled(SEND_PLAIN, 0, 0, none).settle, SETTLE_PARK);
    ck_assert_int_eq(settled(SEND_RETRY, 0, 0, none).settle, SETTLE_RETRY);
    ck_assert_int_eq(settled(SEND_RETRY, SEND_ATTEMPTS_MAX - 2, 0, none).settle, SETTLE_RETRY);
    ck_assert_int_eq(settled(SEND_RETRY, SEND_ATTEMPTS_MAX - 1, 0, none).settle, SETTLE_PARK);
    struct job job = settled(SEND_RETRY, SEND_ATTEMPTS_MAX + 5, 0, wait);
    ck_assert_int_eq(job.settle, SETTLE_LATER);
    ck_assert_int_eq(job.wait_ms, 4321);
    ck_assert_int_eq(settled(SEND_RETRY, SEND_ATTEMPTS_MAX, 0, moved).settle, SETTLE_LATER);
    ck_assert_int_eq(settled(SEND_RETRY, SEND_ATTEMPTS_MAX, 0, lost).settle, SETTLE_LATER);
    ck_assert_int_eq(settled(SEND_DENIED, SEND_ATTEMPTS_MAX, 0, none).settle, SETTLE_LATER);
    ck_assert_int_eq(settled(SEND_UNKNOWN, 0, 0, none).settle, SETTLE_UNKNOWN);
    ck_assert_int_eq(settled(SEND_UNKNOWN, 0, SEND_UNKNOWN_MAX - 1, none).settle, SETTLE_PARK);
}
END_TEST

START_TEST(test_backoff)
{
    int64_t longest = 0;
    for (int attempts = 0; attempts < 40; attempts++)
        for (int i = 0; i < 200; i++) {
            int64_t ms = settle_backoff_ms(attempts);
            int64_t ceiling = attempts < 9 ? 1000ll << attempts : 300000;
            ck_assert_int_le(ms, ceiling < 300000 ? ceiling : 300000);
            ck_assert_int_ge(ms, ceiling / 10 < 30000 ? ceiling / 10 : 30000);
            longest = ms > longest ? ms : longest;
        }
    ck_assert_int_gt(longest, 200000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("telegram");
    TCase *c = tcase_create("telegram");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_message);
    tcase_add_test(c, test_message_in_other_forms);
    tcase_add_test(c, test_edit);
    tcase_add_test(c, test_tap);
    tcase_add_test(c, test_payloads_that_cannot_be_sent);
    tcase_add_test(c, test_topic);
    tcase_add_test(c, test_styles_and_force_reply);
    tcase_add_test(c, test_multipart);
    tcase_add_test(c, test_document);
    tcase_add_loop_test(c, test_verdicts, 0, sizeof judged / sizeof *judged);
    tcase_add_test(c, test_broken_connections);
    tcase_add_test(c, test_answers_that_are_not_telegrams);
    tcase_add_test(c, test_answer_fields);
    tcase_add_test(c, test_token_is_masked);
    tcase_add_test(c, test_pauses);
    tcase_add_test(c, test_settlement);
    tcase_add_test(c, test_backoff);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
