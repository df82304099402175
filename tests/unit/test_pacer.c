/* SPDX-License-Identifier: MIT
 * The pacer's promises, for random arrivals under an injected clock: never more than the limits in any window, never
 * idle longer than it says, nothing forgotten too early. */
#include "bot/pacer.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { SENDS_MAX = 20000 };

struct send {
    int64_t at_ms, chat_id;
    enum pace pace;
    bool low;
};
static struct send sends[SENDS_MAX];
static int send_count;

static uint64_t seed;
static uint32_t roll(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static int64_t try_any(struct pacer *p, enum pace pace, bool low, int64_t chat_id, int64_t now_ms)
{
    int64_t wait_ms = pacer_reserve(p, now_ms);
    if (wait_ms == 0)
        wait_ms = pacer_take(p, pace, low, chat_id, now_ms);
    if (wait_ms == 0 && send_count < SENDS_MAX)
        sends[send_count++] = (struct send){ now_ms, chat_id, pace, low };
    return wait_ms;
}

static int64_t try_send(struct pacer *p, enum pace pace, int64_t chat_id, int64_t now_ms)
{
    return try_any(p, pace, false, chat_id, now_ms);
}

/* Most sends that `counts` says yes to, within any window of that length. */
static int busiest(int64_t window_ms, int64_t chat_id, bool (*counts)(const struct send *, int64_t))
{
    int most = 0, first = 0, inside = 0;
    for (int i = 0; i < send_count; i++) {
        inside += counts(&sends[i], chat_id);
        while (sends[first].at_ms <= sends[i].at_ms - window_ms)
            inside -= counts(&sends[first++], chat_id);
        if (inside > most)
            most = inside;
    }
    return most;
}

static bool counts_overall(const struct send *s, int64_t chat_id)
{
    (void)chat_id;
    return s->pace != PACE_TAP;
}
static bool counts_in_chat(const struct send *s, int64_t chat_id)
{
    return s->chat_id == chat_id && s->pace == PACE_MESSAGE;
}
static bool counts_in_group(const struct send *s, int64_t chat_id)
{
    return s->chat_id == chat_id && s->pace != PACE_TAP;
}
static bool counts_low_in_group(const struct send *s, int64_t chat_id)
{
    return s->chat_id == chat_id && s->pace != PACE_TAP && s->low;
}

static void check_limits(void)
{
    ck_assert_int_le(busiest(1000, 0, counts_overall), SEND_GLOBAL_PER_SECOND);
    for (int64_t chat = -8; chat <= 60; chat++) {
        ck_assert_int_le(busiest(60000, chat, counts_in_chat), SEND_CHAT_BURST + 60);
        ck_assert_int_le(busiest(1000, chat, counts_in_chat), SEND_CHAT_BURST);
        ck_assert_int_le(busiest(10000, chat, counts_in_chat), SEND_CHAT_BURST + 9);
        if (chat >= 0)
            continue;
        ck_assert_int_le(busiest(60000, chat, counts_in_group), SEND_GROUP_PER_MINUTE);
        ck_assert_int_le(busiest(60000, chat, counts_low_in_group), SEND_GROUP_LOW_PER_MINUTE);
    }
}

START_TEST(test_never_over_the_limits)
{
    struct pacer p;
    pacer_init(&p);
    seed = (uint64_t)_i * 7919 + 1;
    send_count = 0;
    int64_t now_ms = 1000000;
    for (int i = 0; i < 60000 && send_count < SENDS_MAX; i++) {
        now_ms += roll(_i % 2 ? 40 : 6);
        if (roll(2000) == 0)
            now_ms += roll(90000);
        int64_t chat = (int64_t)roll(69) - 8;
        enum pace pace = roll(5) == 0 ? PACE_EDIT : roll(9) == 0 ? PACE_TAP : PACE_MESSAGE;
        int64_t wait_ms = try_any(&p, pace, roll(2), chat ? chat : 60, now_ms);
        ck_assert_int_ge(wait_ms, 0);
    }
    ck_assert_int_gt(send_count, 1000);
    check_limits();
    pacer_release(&p);
}
END_TEST

/* Waiting exactly as long as told is enough when nobody else sends: no chat starves. */
START_TEST(test_the_wait_is_enough)
{
    static const int64_t chats[] = { 7, -7 };
    for (size_t c = 0; c < 2; c++) {
        struct pacer p;
        pacer_init(&p);
        send_count = 0;
        int64_t now_ms = 5;
        for (int i = 0; i < 200; i++) {
            int64_t wait_ms = try_send(&p, PACE_MESSAGE, chats[c], now_ms);
            if (wait_ms > 0) {
                ck_assert_int_gt(try_send(&p, PACE_MESSAGE, chats[c], now_ms + wait_ms - 1), 0);
                now_ms += wait_ms;
                ck_assert_int_eq(try_send(&p, PACE_MESSAGE, chats[c], now_ms), 0);
            }
        }
        check_limits();
        pacer_release(&p);
    }
}
END_TEST

START_TEST(test_burst_then_one_a_second)
{
    struct pacer p;
    pacer_init(&p);
    for (int i = 0; i < SEND_CHAT_BURST; i++)
        ck_assert_int_eq(try_send(&p, PACE_MESSAGE, 1, 0), 0);
    ck_assert_int_eq(try_send(&p, PACE_MESSAGE, 1, 0), SEND_CHAT_INTERVAL_MS);
    ck_assert_int_eq(try_send(&p, PACE_MESSAGE, 2, 0), 0);
    ck_assert_int_eq(try_send(&p, PACE_EDIT, 1, 0), 0);
    ck_assert_int_eq(try_send(&p, PACE_TAP, 1, 0), 0);
    ck_assert_int_eq(try_send(&p, PACE_MESSAGE, 1, 999), 1);
    ck_assert_int_eq(try_send(&p, PACE_MESSAGE, 1, 1000), 0);
    pacer_release(&p);
}
END_TEST

START_TEST(test_edits_count_in_a_group)
{
    struct pacer p;
    pacer_init(&p);
    for (int i = 0; i < SEND_GROUP_PER_MINUTE; i++)
        ck_assert_int_eq(try_send(&p, PACE_EDIT, -5, i * 100), 0);
    ck_assert_int_gt(try_send(&p, PACE_EDIT, -5, 3000), 55000);
    ck_assert_int_gt(try_send(&p, PACE_MESSAGE, -5, 3000), 55000);
    ck_assert_int_eq(try_send(&p, PACE_TAP, -5, 3000), 0);
    ck_assert_int_eq(try_send(&p, PACE_EDIT, 5, 3000), 0);
    pacer_release(&p);
}
END_TEST

/* However much is told, a question finds room; and what is told goes on when its share is free again. */
START_TEST(test_a_reserve_for_what_matters)
{
    struct pacer p;
    int64_t chats[8], soonest_ms, now_ms = 0;
    pacer_init(&p);
    for (int i = 0; i < SEND_GROUP_LOW_PER_MINUTE; i++, now_ms += SEND_CHAT_INTERVAL_MS)
        ck_assert_int_eq(try_any(&p, i % 2 ? PACE_EDIT : PACE_MESSAGE, true, -5, now_ms), 0);
    ck_assert_int_eq(try_any(&p, PACE_EDIT, true, -5, now_ms), PACER_GROUP_WINDOW_MS - now_ms);
    ck_assert_uint_eq(pacer_blocked(&p, false, now_ms, chats, 8, &soonest_ms), 0);
    ck_assert_uint_eq(pacer_blocked(&p, true, now_ms, chats, 8, &soonest_ms), 1);
    ck_assert_int_eq(chats[0], -5);
    ck_assert_int_eq(soonest_ms, PACER_GROUP_WINDOW_MS - now_ms);
    for (int i = SEND_GROUP_LOW_PER_MINUTE; i < SEND_GROUP_PER_MINUTE; i++, now_ms += SEND_CHAT_INTERVAL_MS)
        ck_assert_int_eq(try_send(&p, PACE_MESSAGE, -5, now_ms), 0);
    ck_assert_int_gt(try_send(&p, PACE_MESSAGE, -5, now_ms), 0);
    ck_assert_uint_eq(pacer_blocked(&p, false, now_ms, chats, 8, &soonest_ms), 1);
    ck_assert_uint_eq(pacer_blocked(&p, true, now_ms, chats, 8, &soonest_ms), 0); /* named once */
    ck_assert_int_eq(try_any(&p, PACE_MESSAGE, true, -5, PACER_GROUP_WINDOW_MS), 0);
    ck_assert_int_gt(try_any(&p, PACE_MESSAGE, true, -5, PACER_GROUP_WINDOW_MS), 0);
    for (int i = 0; i < 3 * SEND_GROUP_LOW_PER_MINUTE; i++) /* a private chat has no minute */
        ck_assert_int_eq(try_any(&p, PACE_EDIT, true, 5, PACER_GROUP_WINDOW_MS + i * 1000), 0);
    pacer_release(&p);
}
END_TEST

START_TEST(test_reservations_are_slots)
{
    struct pacer p;
    pacer_init(&p);
    for (int i = 0; i < SEND_GLOBAL_PER_SECOND; i++)
        ck_assert_int_eq(pacer_reserve(&p, 0), 0);
    ck_assert_int_gt(pacer_reserve(&p, 0), 0);
    pacer_cancel(&p);
    ck_assert_int_eq(pacer_reserve(&p, 0), 0);
    for (int i = 0; i < SEND_GLOBAL_PER_SECOND; i++)
        ck_assert_int_eq(pacer_take(&p, PACE_MESSAGE, false, 100 + i, 10), 0);
    ck_assert_int_eq(pacer_reserve(&p, 20), PACER_GLOBAL_WINDOW_MS - 10);
    ck_assert_int_gt(pacer_reserve(&p, 10 + PACER_GLOBAL_WINDOW_MS - 1), 0);
    ck_assert_int_eq(pacer_reserve(&p, 10 + PACER_GLOBAL_WINDOW_MS), 0);
    pacer_release(&p);
}
END_TEST

START_TEST(test_blocked_chats_are_named)
{
    struct pacer p;
    int64_t chats[8], soonest_ms;
    pacer_init(&p);
    ck_assert_uint_eq(pacer_blocked(&p, false, 0, chats, 8, &soonest_ms), 0);
    ck_assert_int_eq(soonest_ms, 0);
    for (int i = 0; i < SEND_CHAT_BURST; i++) {
        ck_assert_int_eq(try_send(&p, PACE_MESSAGE, 11, 0), 0);
        ck_assert_int_eq(try_send(&p, PACE_MESSAGE, 12, 400), 0);
    }
    ck_assert_uint_eq(pacer_blocked(&p, false, 500, chats, 8, &soonest_ms), 2);
    ck_assert_int_eq(soonest_ms, 500);
    ck_assert_uint_eq(pacer_blocked(&p, false, 500, chats, 1, &soonest_ms), 1);
    ck_assert_uint_eq(pacer_blocked(&p, false, 1000, chats, 8, &soonest_ms), 1);
    ck_assert_int_eq(chats[0], 12);
    ck_assert_uint_eq(pacer_blocked(&p, false, 1400, chats, 8, &soonest_ms), 0);
    pacer_release(&p);
}
END_TEST

START_TEST(test_memory_is_bounded)
{
    struct pacer p;
    pacer_init(&p);
    int64_t now_ms = 0;
    for (int64_t chat = -1; chat > -20000; chat--) {
        int64_t wait_ms = try_send(&p, PACE_MESSAGE, chat, now_ms);
        now_ms += wait_ms;
        if (wait_ms)
            ck_assert_int_eq(try_send(&p, PACE_MESSAGE, chat, now_ms), 0);
        ck_assert_uint_le(p.chat_count, PACER_CHATS_MAX);
    }
    pacer_release(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pacer");
    TCase *c = tcase_create("pacer");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, test_never_over_the_limits, 0, 8);
    tcase_add_test(c, test_the_wait_is_enough);
    tcase_add_test(c, test_burst_then_one_a_second);
    tcase_add_test(c, test_edits_count_in_a_group);
    tcase_add_test(c, test_a_reserve_for_what_matters);
    tcase_add_test(c, test_reservations_are_slots);
    tcase_add_test(c, test_blocked_chats_are_named);
    tcase_add_test(c, test_memory_is_bounded);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
