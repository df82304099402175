/* SPDX-License-Identifier: MIT
 * Agents' requests: what a body may say, one answer, votes, ticks, numbers, what a person reads, the audit log. */
#include "tests/unit/ask_fixture.h"

/* --- what a body may say --- */

START_TEST(durations_and_bounds)
{
    static const struct {
        const char *more;
        int64_t expires_ms, remind_ms;
    } good[] = {
        { "", ASK_EXPIRES_DEFAULT_MS, 0 },
        { ",\"expires_in\":90", 90000, 0 },
        { ",\"expires_in\":\"90s\"", 90000, 0 },
        { ",\"expires_in\":\"1.5h\"", 5400000, 0 },
        { ",\"expires_in\":\"2d\",\"remind_every\":\"10m\"", 172800000, 600000 },
        { ",\"expires_in\":\"never\",\"remind_every\":\"never\"", -1, 0 },
        { ",\"expires_in\":null", ASK_EXPIRES_DEFAULT_MS, 0 },
    };
    static const struct {
        const char *body, *word;
    } bad[] = {
        { BODY(",\"expires_in\":\"367d\""), "expires_in" },
        { BODY(",\"expires_in\":\"nan\""), "expires_in" },
        { BODY(",\"expires_in\":\"inf\""), "expires_in" },
        { BODY(",\"expires_in\":\"1h30\""), "expires_in" },
        { BODY(",\"expires_in\":1e300"), "expires_in" },
        { BODY(",\"expires_in\":true"), "expires_in" },
        { BODY(",\"expires_in\":[1]"), "expires_in" },
        { BODY(",\"expires_in\":\"\""), "expires_in" },
        { BODY(",\"remind_every\":59"), "remind_every" },
        { BODY(",\"quiet\":\"22-22\""), "quiet" },
        { BODY(",\"quiet\":7"), "quiet" },
        { BODY(YES_NO ",\"quorum\":3"), "quorum" },
        { BODY(YES_NO ",\"quorum\":1.5"), "quorum" },
        { BODY(YES_NO ",\"quorum\":2,\"multi\":true"), "multi" },
        { BODY(YES_NO ",\"risk\":\"high\",\"multi\":true"), "risk" },
        { BODY(YES_NO ",\"approvers\":[43,66]"), "approvers[1]" },
        { BODY(YES_NO ",\"approvers\":[43],\"quorum\":2"), "quorum" },
        { BODY(YES_NO ",\"risk\":\"high\",\"default\":\"Yes\""), "default" },
        { BODY(YES_NO ",\"risk\":\"high\",\"default\":\"anything\""), "default" },
        { BODY(YES_NO ",\"quorum\":2,\"default\":\"Yes\""), "default" },
        { BODY(",\"buttons\":[{\"label\":\"\\u200b\\u200b\"},\" \"]"), "buttons[1]" },
        { BODY(",\"buttons\":[[]]"), "buttons[0]" },
        { "[]", "object" },
    };
    struct agent_request r;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_ok(reads(arena_printf(arena, "{\"type\":\"blocking\",\"message\":\"m\"%s}", good[i].more), &r, e));
        ck_assert_int_eq(r.expires_at_ms, good[i].expires_ms);
        ck_assert_int_eq(r.remind_every_ms, good[i].remind_ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_is(reads(bad[i].body, &r, e), ST_INVALID, bad[i].word);
    ck_ok(reads(
        BODY(YES_NO ",\"risk\":\"high\",\"default\":\"No\",\"details\":\"d\",\"details_name\":\"../a\\n\\\"b\\u202e\""),
        &r, e));
    ck_assert_str_eq(r.default_answer, "No");
    ck_assert_str_eq(r.details_name, ".._a__b⟨U+202E⟩");
    ck_assert(ask_has(r.numbers, atoi(r.code)) && strlen(r.numbers) == 13);
}
END_TEST

START_TEST(quiet_hours_are_read_strictly)
{
    static const struct {
        const char *text;
        int from, until;
    } good[] = {
        { "22:00-07:00", 1320, 420 }, { "22-7", 1320, 420 }, { "00:00-24:00", 0, 1440 }, { "9:30-17", 570, 1020 }
    };
    static const char *const bad[] = { "",        "-",       "22:00",        "22:00-", "22:00-22:00", "25-7",
                                       "22:60-7", "24:30-7", "22:00-07:00x", "x22-7",  "22:000-7",    "-1-7" };
    int from, until;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_ok(ask_quiet_parse(good[i].text, &from, &until, e));
        ck_assert_int_eq(from, good[i].from);
        ck_assert_int_eq(until, good[i].until);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(ask_quiet_parse(bad[i], &from, &until, NULL) == ST_INVALID, "%s", bad[i]);
}
END_TEST

START_TEST(the_same_question_is_one)
{
    open_store(_i);
    struct agent_request first = ask(BODY(YES_NO ",\"request_id\":\"one\",\"risk\":\"high\"")), other;
    struct agent_request second = ask(BODY(YES_NO ",\"risk\":\"high\",\"request_id\":\"one\""));
    ck_assert_int_eq(first.id, second.id);
    ck_assert_str_eq(first.code, second.code);
    ck_ok(reads(BODY(",\"request_id\":\"one\",\"buttons\":[\"Yes\"]"), &other, e));
    ck_is(store_write(store, write_put, &other, e), ST_CONFLICT, "one");
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM audit WHERE event = 'asked'"), 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM cards"), 2);
}
END_TEST

/* --- one answer --- */

START_TEST(the_first_answer_stands)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(YES_NO));
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_ANSWERED);
    ck_assert_int_eq(tap_by(&r, BOB, ASK_CHOOSE, 1, 0), ASK_OVER);
    ck_assert_int_eq(say_by(&r, BOB, "No"), ASK_OVER);
    ck_assert_str_eq(again(&r).response, "Yes");
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM audit WHERE event = 'answered'"), 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM audit WHERE event = 'late'"), 2);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'edit' AND payload LIKE '%✅%'"), 1);
}
END_TEST

START_TEST(words_mean_what_a_button_says)
{
    open_store(_i);
    struct agent_request r =
        ask_shown(BODY(",\"buttons\":[{\"label\":\"No\",\"value\":\"Yes\"},{\"label\":\"Yes\",\"value\":\"No\"}]"));
    ck_assert_int_eq(say_by(&r, OWNER, "yes"), ASK_ANSWERED);
    ck_assert_str_eq(again(&r).response, "No"); /* what the button "Yes" stands for */
    r = ask_shown(BODY(",\"multi\":true,\"buttons\":[\"A, B\",\"C\",\"D\"]"));
    ck_assert_int_eq(say_by(&r, OWNER, "a, b"), ASK_ANSWERED);
    ck_assert_str_eq(again(&r).responses, "[\"A, B\"]");
    r = ask_shown(BODY(",\"multi\":true,\"buttons\":[\"A\",\"B\",\"C\"]"));
    ck_assert_int_eq(say_by(&r, OWNER, "C, a"), ASK_ANSWERED);
    ck_assert_str_eq(again(&r).responses, "[\"A\",\"C\"]");
    r = ask_shown(BODY(",\"multi\":true,\"buttons\":[\"A\",\"B\"]"));
    ck_assert_int_eq(say_by(&r, OWNER, "A, or what you like"), ASK_ANSWERED);
    ck_assert(again(&r).free_text && !again(&r).responses);
    r = ask_shown(BODY(YES_NO ",\"approvers\":[43]"));
    ck_assert_int_eq(say_by(&r, OWNER, "Yes"), ASK_REFUSED);
    char *longest = arena_alloc(arena, ASK_ANSWER_BYTES_MAX + 2);
    memset(longest, 'x', ASK_ANSWER_BYTES_MAX + 1);
    ck_assert_int_eq(say_by(&r, BOB, longest), ASK_REFUSED);
    ck_assert_int_eq(again(&r).state, REQUEST_OPEN);
}
END_TEST

START_TEST(a_number_cannot_be_got_around)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(",\"buttons\":[\"Go\",\"Stop\",\"No\"],\"risk\":\"high\""));
    int code = atoi(r.code);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 0, code), ASK_REFUSED); /* before the button */
    ck_assert_int_eq(say_by(&r, OWNER, "Go"), ASK_REFUSED);
    ck_assert_int_eq(say_by(&r, OWNER, "go ahead"), ASK_REFUSED);
    ck_assert_int_eq(tap(&r, ASK_TICK, 0, 0), ASK_REFUSED);
    ck_assert_int_eq(tap(&r, ASK_SUBMIT, 0, 0), ASK_REFUSED);
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 1, code), ASK_REFUSED); /* for another button */
    ck_assert_int_eq(tap(&r, ASK_BACK, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 0, code), ASK_REFUSED); /* an old number after Back */
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 1, 0), ASK_NOTED);      /* "Stop" may be the deed */
    ck_assert_int_eq(again(&r).state, REQUEST_OPEN);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 1, code == 99 ? 10 : 99),
                     ask_has(r.numbers, code == 99 ? 10 : 99) ? ASK_ANSWERED : ASK_REFUSED);
    if (again(&r).state == REQUEST_OPEN) {
        ck_assert_int_eq(tap(&r, ASK_NUMBER, 1, code), ASK_ANSWERED);
        ck_assert_str_eq(again(&r).response, "Stop");
    }
    r = ask_shown(BODY(YES_NO ",\"risk\":\"high\""));
    int wrong = atoi(r.numbers + 1) == atoi(r.code)
                    ? atoi(strrchr(arena_strndup(arena, r.numbers, strlen(r.numbers) - 1), ',') + 1)
                    : atoi(r.numbers + 1);
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 0, wrong), ASK_ANSWERED);
    ck_assert_int_eq(again(&r).state, REQUEST_CANCELLED);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 0, atoi(r.code)), ASK_OVER);
    r = ask_shown(BODY(YES_NO ",\"risk\":\"high\""));
    ck_assert_int_eq(say_by(&r, OWNER, "no"), ASK_ANSWERED);
}
END_TEST

START_TEST(a_quorum_counts_people)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(",\"buttons\":[\"Blue\",\"Green\",\"No\"],\"quorum\":2"));
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_REFUSED);
    ck_assert_int_eq(say_by(&r, OWNER, "blue"), ASK_REFUSED);
    ck_assert_int_eq(say_by(&r, BOB, "whatever"), ASK_REFUSED);
    ck_assert_int_eq(tap_by(&r, BOB, ASK_CHOOSE, 1, 0), ASK_NOTED);
    ck_assert_int_eq(again(&r).state, REQUEST_OPEN);
    ck_assert_int_eq(say_by(&r, OWNER, "Green"), ASK_ANSWERED); /* who changes their mind has one vote still */
    ck_assert_str_eq(again(&r).response, "Green");
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM request_votes"), 2);
    r = ask_shown(BODY(",\"buttons\":[\"Go\",\"No\"],\"quorum\":2,\"risk\":\"high\""));
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 0, atoi(r.code)), ASK_NOTED);
    ck_assert_int_eq(tap_by(&r, BOB, ASK_NUMBER, 0, atoi(r.code)), ASK_REFUSED); /* their own button first */
    ck_assert_int_eq(tap_by(&r, BOB, ASK_CHOOSE, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap_by(&r, BOB, ASK_NUMBER, 0, atoi(r.code)), ASK_ANSWERED);
    r = ask_shown(BODY(",\"buttons\":[\"Go\",\"No\"],\"quorum\":2"));
    ck_assert_int_eq(tap_by(&r, BOB, ASK_CHOOSE, 1, 0), ASK_ANSWERED); /* one refusal is enough */
}
END_TEST

START_TEST(ticks_say_what_is_not_that_it_changes)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(",\"multi\":true,\"buttons\":[\"A\",\"B\",\"C\"]"));
    ck_assert_int_eq(tap(&r, ASK_SUBMIT, 0, 0), ASK_REFUSED);
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_REFUSED);
    for (int i = 0; i < 3; i++) /* the same press, delivered again and again */
        ck_assert_int_eq(tap(&r, ASK_TICK, 2, 0), ASK_NOTED);
    ck_assert_str_eq(again(&r).chosen, ",2,");
    ck_assert_int_eq(tap(&r, ASK_TICK, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_UNTICK, 2, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_UNTICK, 2, 0), ASK_NOTED);
    ck_assert_str_eq(again(&r).chosen, ",0,");
    ck_assert_int_eq(tap(&r, ASK_TICK, 3, 0), ASK_REFUSED);
    ck_assert_int_eq(tap(&r, ASK_SUBMIT, 0, 0), ASK_ANSWERED);
    ck_assert_str_eq(again(&r).responses, "[\"A\"]");
}
END_TEST

/* --- what a person reads --- */

static size_t shown_units(struct agent_request *r, int64_t message_id)
{
    struct card c = {
        .kind = "request", .channel = "telegram", .nonce = "00112233445566778899aabbccddeeff", .message_id = message_id
    };
    struct vote votes[32];
    struct reply out;
    char name[65];
    memset(name, 'n', 64);
    name[64] = '\0';
    for (int i = 0; i < 32; i++)
        votes[i] = (struct vote){ i + 1, name, 0 };
    struct card_view v = { r, &c, votes, 32, "UTC", NOW_MS, CARD_FILE_UNSURE }; /* the longest sentence */
    card_render(arena, &v, &out);
    ck_assert_int_le(out.button_count, 13);
    const char *html = buf_str(&out.html);
    ck_assert(strlen(html) < HTML_PART_BYTES_MAX);
    ck_assert(!strstr(html, "<script") && !strstr(html, "\xe2\x80\xae"));
    return strlen(html_to_plain(arena, html)); /* all of it is ASCII but for signs: bytes bound the units */
}

START_TEST(no_card_is_too_long_or_a_trick)
{
    settings.notify_chat_id = 0;
    ask_setup(&settings);
    static const size_t sizes[] = { 1, 2399, 2400, 2401, 32000 };
    for (size_t m = 0; m < 5; m++)
        for (size_t d = 0; d < 5; d++) {
            char *message = arena_alloc(arena, 33000), *details = arena_alloc(arena, 33000);
            memset(message, '<', sizes[m]);
            memset(details, '&', sizes[d]);
            struct agent_request r = {
                .request_id = "x", .origin = "send", .project = "pppppppppppppppppppppppppppppppp", .type = "blocking"
            };
            r.message = message;
            r.details = details;
            r.buttons = "[{\"label\":\"<script>\",\"value\":\"v\"},{\"label\":\"B\",\"value\":\"w\"}]";
            r.quorum = 2;
            r.expires_at_ms = NOW_MS + 1;
            r.away_from_ms = r.away_until_ms = NOW_MS;
            r.default_answer = "\xe2\x80\xae<script>";
            ck_assert_msg(shown_units(&r, 0) < 4096 - 64, "%zu and %zu", sizes[m], sizes[d]);
            r.state = REQUEST_RESPONDED;
            r.response = message;
            r.free_text = true;
            r.answered_name = "<script>";
            r.how = "reply";
            ck_assert(shown_units(&r, 5) < 4096 - 64);
        }
}
END_TEST

/* --- the log --- */

START_TEST(the_log_is_one_chain)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(YES_NO));
    struct audit_row *rows;
    struct db *db;
    char hash[AUDIT_HASH_CHARS + 1], zeros[AUDIT_HASH_CHARS + 1];
    int count;
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_ANSWERED);
    ck_ok(store_read_begin(store, &db, e));
    ck_ok(audit_read(db, arena, 0, NULL, 100, &rows, &count, e));
    store_read_end(store, db);
    static const char *const events[] = { "asked", "shown", "tapped", "answered" };
    ck_assert_int_eq(count, 4);
    memset(zeros, '0', AUDIT_HASH_CHARS);
    zeros[AUDIT_HASH_CHARS] = '\0';
    for (int i = 0; i < count; i++) {
        ck_assert_str_eq(rows[i].event, events[i]);
        ck_assert_int_eq(rows[i].seq, i + 1);
        ck_assert_str_eq(rows[i].previous, i ? rows[i - 1].hash : zeros);
        audit_hash(&rows[i], hash);
        ck_assert_str_eq(rows[i].hash, hash);
        struct audit_row changed[] = { rows[i], rows[i], rows[i], rows[i], rows[i], rows[i] };
        changed[0].seq++;
        changed[1].at_ms++;
        changed[2].actor = "nobody";
        changed[3].detail = "{}";
        changed[4].event = arena_printf(arena, "%s%.1s", rows[i].event, rows[i].actor); /* moved over the border */
        changed[4].actor = rows[i].actor + 1;
        changed[5].request_id = "another";
        for (int k = 0; k < 6; k++) {
            audit_hash(&changed[k], hash);
            ck_assert_msg(strcmp(rows[i].hash, hash) != 0 || (k == 3 && strcmp(rows[i].detail, "{}") == 0),
                          "row %d, change %d", i, k);
        }
    }
    struct error e = { 0 };
    ck_assert(store_write(store, write_script, (void *)(uintptr_t) "UPDATE audit SET actor = 'x' WHERE seq = 1", &e) !=
              OK);
    ck_assert(store_write(store, write_script, (void *)(uintptr_t) "DELETE FROM audit WHERE seq = 2", &e) != OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ask");
    TCase *c = tcase_create("rows"), *pure = tcase_create("pure");
    ask_setup(&settings);
    tcase_add_checked_fixture(pure, no_store, no_end);
    tcase_add_test(pure, durations_and_bounds);
    tcase_add_test(pure, quiet_hours_are_read_strictly);
    tcase_add_test(pure, no_card_is_too_long_or_a_trick);
    suite_add_tcase(suite, pure);
    tcase_add_checked_fixture(c, begin, end);
    tcase_set_timeout(c, 4 * FIXTURE_TEST_S);
    tcase_add_loop_test(c, the_same_question_is_one, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, the_first_answer_stands, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, words_mean_what_a_button_says, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_number_cannot_be_got_around, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_quorum_counts_people, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, ticks_say_what_is_not_that_it_changes, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, the_log_is_one_chain, DB_SQLITE, DB_POSTGRES + 1);
    suite_add_tcase(suite, c);
    return fixture_main(suite, false);
}
