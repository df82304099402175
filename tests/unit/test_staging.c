/* SPDX-License-Identifier: MIT
 * Taking in a flood, on both databases: what is staged becomes rows when somebody claims, in order, once, and whatever
 * it holds. */
#include "tests/unit/store_fixture.h"

#include "base/limits.h"
#include "store/inbox.h"
#include "store/queue_depth.h"

enum { FLOOD = 3000, AT_MS = 1000 };

static struct arena *arena;
static char url[FIXTURE_URL_BYTES];
static struct db *db;

static void open_empty(int kind)
{
    arena = arena_new();
    fixture_url(kind, url);
    store_close(fixture_open_url(url));
    ck_ok(db_open(url, true, &db, e));
}

static void close_it(void)
{
    db_close(db);
    arena_free(arena);
}

static int64_t count(const char *sql)
{
    int64_t n = -1;
    ck_ok(db_get_int(db, &n, NULL, e, sql));
    return n;
}

/* How many are said to be new. */
static int64_t put(bool flood, const struct inbox_update *u, size_t n)
{
    int64_t stored = -1;
    ck_ok(db_begin(db, e));
    ck_ok((flood ? inbox_put_flood : inbox_put)(db, u, n, AT_MS, &stored, e));
    ck_ok(db_commit(db, e));
    return stored;
}

static struct inbox_update message(int key, int chat)
{
    return (struct inbox_update){ "telegram", arena_printf(arena, "%d", key),
                                  arena_printf(arena, "chat:telegram:%d", chat), "{\"update_id\":1}", false };
}

static struct inbox_claim claim_as(struct db *who, bool tap)
{
    struct inbox_claim c = { .arena = arena, .owner_id = 7, .tap = tap, .crashes_max = INBOX_CRASHES_MAX };
    ck_ok(db_begin(who, e));
    ck_ok(inbox_claim(who, &c, e));
    ck_ok(db_commit(who, e));
    return c;
}

static struct inbox_claim claim(void)
{
    return claim_as(db, false);
}

static void finish(const struct inbox_claim *c)
{
    ck_assert(c->found);
    ck_ok(db_begin(db, e));
    ck_ok(inbox_done(db, c->row.id, c->row.token, "ok", AT_MS, e));
    ck_ok(db_commit(db, e));
}

/* The next message, done with. */
static const char *next(void)
{
    struct inbox_claim c = claim();
    if (!c.found)
        return "none";
    finish(&c);
    return c.row.update_key;
}

START_TEST(a_flood_waits_outside_until_somebody_claims)
{
    open_empty(_i);
    struct inbox_update u[] = { message(1, 5), message(2, 6), message(3, 5), message(1, 5), message(4, 5) };
    u[3].body = "the first one again";
    u[4].tap = true;
    u[4].lane = "tap:telegram:5";
    struct inbox_update page = { "console", "1", "chat:console:0", "{}", false };
    ck_assert_int_eq(put(true, u, 5), 5);
    ck_assert_int_eq(put(true, &page, 1), 1);
    ck_assert_int_eq(count("SELECT sum(posts) FROM inbox_staging"), 4);
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox"), 2); /* the tap and the console's */
    ck_assert_str_eq(claim_as(db, true).row.update_key, "4");
    ck_assert_str_eq(next(), "1"); /* the console's */
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox"), 2);
    struct inbox_claim first = claim(), other = claim();
    ck_assert_str_eq(first.row.update_key, "1");
    ck_assert_str_eq(first.row.body, "{\"update_id\":1}");
    ck_assert_int_eq(first.row.received_at_ms, AT_MS);
    ck_assert_str_eq(other.row.update_key, "2");
    ck_assert(first.more && !claim().found);
    finish(&first);
    ck_assert_str_eq(next(), "3");
    ck_assert_str_eq(next(), "none");
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox_staging"), 0);
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox"), 5);
    close_it();
}
END_TEST

START_TEST(nothing_overtakes_what_is_staged)
{
    open_empty(_i);
    struct inbox_update u[] = { message(1, 5), message(2, 5), message(3, 5), message(4, 5) };
    ck_assert_int_eq(put(false, &u[0], 1), 1);
    ck_assert_int_eq(put(true, &u[1], 1), 1);
    ck_assert_int_eq(put(false, &u[2], 1), 1); /* as another instance does, or this one when the flood is over */
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox_staging"), 2);
    ck_assert_int_eq(put(false, &u[2], 1), 1); /* once more: seen only when it is unfolded */
    ck_assert_str_eq(next(), "1");
    ck_assert_str_eq(next(), "2");
    ck_assert_str_eq(next(), "3");
    ck_assert_str_eq(next(), "none");
    ck_assert_int_eq(put(false, &u[3], 1), 1);
    ck_assert_int_eq(put(false, &u[3], 1), 0);
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox_staging"), 0);
    ck_assert_str_eq(next(), "4");
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox"), 4);
    close_it();
}
END_TEST

/* Separators, line ends, other scripts, a body as long as they come, and many of them. */
START_TEST(bodies_come_out_as_they_went_in)
{
    enum { LONG = WEBHOOK_BODY_BYTES_MAX, MIDDLE = 100 * KIB, COUNT = 12 };
    static const char *const odd[] = { "",
                                       "\x1f",
                                       "a\x1f"
                                       "7\x1f"
                                       "b\n",
                                       "\xd0\xb4\xd0\xb0 \xf0\x9f\x98\x80",
                                       "\"{},\\'",
                                       "0" };
    open_empty(_i);
    struct inbox_update u[COUNT];
    for (int i = 0; i < COUNT; i++) {
        u[i] = message(i + 1, 5);
        if (i < 6) {
            u[i].body = odd[i];
            continue;
        }
        size_t len = i == 8 ? LONG : MIDDLE;
        char *body = arena_alloc(arena, len + 1);
        memset(body, 'a' + i, len);
        u[i].body = body;
    }
    ck_assert_int_eq(put(true, u, COUNT), COUNT);
    ck_assert_int_gt(count("SELECT COUNT(*) FROM inbox_staging"), 1);
    for (int i = 0; i < COUNT; i++) {
        struct inbox_claim c = claim();
        finish(&c);
        ck_assert_str_eq(c.row.update_key, u[i].update_key);
        ck_assert_str_eq(c.row.body, u[i].body);
        ck_assert_str_eq(c.row.lane, "chat:telegram:5");
    }
    ck_assert_str_eq(next(), "none");
    close_it();
}
END_TEST

START_TEST(what_cannot_be_read_is_set_aside_and_stops_nobody)
{
    static const char *const bad[] = {
        "",
        "words",
        "telegram\x1f"
        "1\x1f"
        "chat:telegram:5\x1f"
        "99\x1f"
        "{}",
        "telegram\x1f"
        "1\x1f"
        "chat:telegram:5\x1f"
        "-2\x1f"
        "{}",
        "telegram\x1f"
        "1\x1f"
        "chat:telegram:5\x1f"
        "x\x1f"
        "{}",
        "telegram\x1f"
        "1\x1f"
        "chat:telegram:5\x1f"
        "2\x1f"
        "{}and more",
    };
    enum { BAD = sizeof bad / sizeof bad[0] };
    open_empty(_i);
    for (int i = 0; i < BAD; i++)
        ck_ok(db_run(db, e, "INSERT INTO inbox_staging (posts, updates, received_at) VALUES (1, $1, 5)",
                     p_text_len(bad[i], strlen(bad[i]))));
    ck_ok(db_run(db, e,
                 "INSERT INTO inbox_staging (posts, updates, received_at) VALUES (-1, 'x', 5), (9999999, 'y', 5)"));
    struct inbox_update good = message(7, 5);
    put(true, &good, 1);
    ck_assert_str_eq(next(), "7");
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox_staging"), 0);
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox WHERE state = 'parked' AND channel = 'staging'"), BAD + 2);
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox WHERE state = 'parked' AND body LIKE '%and more'"), 1);
    close_it();
}
END_TEST

/* One chat's thousands stand before another's one message, and their head is at work. */
START_TEST(a_flood_of_one_chat_does_not_keep_another_waiting)
{
    open_empty(_i);
    struct inbox_update *u = arena_alloc(arena, FLOOD * sizeof *u);
    for (int i = 0; i < FLOOD; i++)
        u[i] = message(i, 5);
    put(true, u, FLOOD);
    struct inbox_update other = message(FLOOD, 6);
    put(false, &other, 1);
    struct inbox_claim busy = claim(), c = { .more = true };
    ck_assert_str_eq(busy.row.update_key, "0");
    for (int i = 0; i < 5 && !c.found; i++) { /* each is told that there is more, and so the next looks at once */
        ck_assert(c.more);
        c = claim();
    }
    ck_assert(c.found);
    ck_assert_str_eq(c.row.update_key, other.update_key);
    ck_assert(!claim().found);
    finish(&busy);
    ck_assert_str_eq(next(), "1");
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox"), FLOOD + 1);
    close_it();
}
END_TEST

/* Behind a flood each post has a row of its own: as many workers are told as there are posts. */
START_TEST(who_finds_one_is_told_of_the_others)
{
    enum { ALL = 50 };
    open_empty(_i);
    for (int i = 0; i < ALL; i++) {
        struct inbox_update u = message(i, i);
        put(true, &u, 1);
    }
    for (int i = 0; i < ALL; i++) {
        struct inbox_claim c = claim();
        ck_assert(c.found);
        ck_assert_str_eq(c.row.update_key, arena_printf(arena, "%d", i));
        ck_assert_msg(c.more == (i < ALL - 1), "claim %d", i);
    }
    struct inbox_claim none = claim();
    ck_assert(!none.found && !none.more && !none.staged);
    close_it();
}
END_TEST

/* A claim looks a few times, however the posts of a chat whose head is at work are spread over rows. */
START_TEST(a_claim_does_little_at_a_time)
{
    enum { ROWS = 400 };
    open_empty(_i);
    for (int i = 0; i < ROWS; i++) {
        struct inbox_update u = message(i, 5);
        put(true, &u, 1);
    }
    struct inbox_update other = message(ROWS, 6);
    put(true, &other, 1);
    struct inbox_claim busy = claim(), c = claim();
    ck_assert(busy.found && !c.found && c.more && c.staged);
    ck_assert_int_lt(count("SELECT COUNT(*) FROM inbox"), ROWS / 4);
    for (int i = 0; i < ROWS && !c.found; i++)
        c = claim();
    ck_assert_str_eq(c.row.update_key, other.update_key);
    close_it();
}
END_TEST

START_TEST(what_is_staged_counts_as_waiting)
{
    int64_t n = -1, ms = -1;
    open_empty(_i);
    struct inbox_update u[] = { message(1, 5), message(2, 6), message(3, 7) };
    put(false, u, 1);
    ck_ok(db_run(db, e, "UPDATE inbox SET run_at = $1", p_int(AT_MS + 10)));
    put(true, u + 1, 2);
    ck_ok(inbox_depth(db, false, &n, e));
    ck_assert_int_eq(n, 3);
    ck_ok(inbox_depth(db, true, &n, e));
    ck_assert_int_eq(n, 0);
    ck_ok(inbox_overdue_ms(db, false, AT_MS + 50, &ms, e));
    ck_assert_int_eq(ms, 50);
    ck_ok(inbox_overdue_ms(db, true, AT_MS + 50, &ms, e));
    ck_assert_int_eq(ms, 0);
    ck_ok(db_run(db, e,
                 "UPDATE inbox_staging SET posts = 4000")); /* of more than are counted, it is told that they are */
    for (int i = 0; i < 2; i++)
        ck_ok(db_run(db, e, "INSERT INTO inbox_staging (posts, received_at, updates) VALUES (4000, 5, '')"));
    ck_ok(inbox_depth(db, false, &n, e));
    ck_assert_int_eq(n, QUEUE_DEPTH_MAX + 1);
    close_it();
}
END_TEST

START_TEST(a_clock_set_back_makes_nothing_wait)
{
    int64_t now_ms = clock_wall_ms();
    open_empty(_i);
    struct inbox_update u = message(1, 5);
    put(true, &u, 1);
    ck_ok(db_run(db, e, "UPDATE inbox_staging SET received_at = $1", p_int(now_ms + 3600000)));
    struct inbox_claim c = claim();
    ck_assert(c.found && c.row.received_at_ms < now_ms + 1800000);
    close_it();
}
END_TEST

/* PostgreSQL: two instances unfold; ids must follow the order in which it was staged. */
START_TEST(one_instance_unfolds_at_a_time)
{
    struct db *other;
    open_empty(DB_POSTGRES);
    ck_ok(db_open(url, true, &other, e));
    struct inbox_update u[] = { message(1, 5), message(2, 5), message(3, 6) };
    for (int i = 0; i < 3; i++)
        put(true, &u[i], 1);
    struct inbox_claim c = { .arena = arena, .owner_id = 8, .crashes_max = INBOX_CRASHES_MAX };
    ck_ok(db_begin(other, e));
    ck_ok(inbox_claim(other, &c, e));
    ck_assert_str_eq(c.row.update_key, "1");
    struct inbox_claim none = claim(); /* the second one's row is not there yet, and the third must not come before */
    ck_assert(!none.found && !none.more && none.staged);
    ck_ok(db_commit(other, e));
    ck_assert_str_eq(claim().row.update_key, "3");
    ck_assert_int_eq(count("SELECT COUNT(*) FROM inbox a JOIN inbox b ON a.id < b.id AND"
                           " CAST(a.update_key AS BIGINT) > CAST(b.update_key AS BIGINT)"),
                     0);
    db_close(other);
    close_it();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("staging");
    TCase *c = tcase_create("staging");
    tcase_set_timeout(c, FIXTURE_TEST_S);
    tcase_add_loop_test(c, a_flood_waits_outside_until_somebody_claims, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, nothing_overtakes_what_is_staged, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, bodies_come_out_as_they_went_in, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, what_cannot_be_read_is_set_aside_and_stops_nobody, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_flood_of_one_chat_does_not_keep_another_waiting, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, who_finds_one_is_told_of_the_others, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_claim_does_little_at_a_time, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, what_is_staged_counts_as_waiting, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_clock_set_back_makes_nothing_wait, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_test(c, one_instance_unfolds_at_a_time);
    suite_add_tcase(suite, c);
    return fixture_main(suite, false);
}
