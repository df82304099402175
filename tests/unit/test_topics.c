/* SPDX-License-Identifier: MIT
 * The order of what goes out in a chat, forum topics and groups that move, on both databases. */
#include "tests/unit/store_fixture.h"

#include "base/limits.h"
#include "store/chats.h"
#include "store/outbox.h"
#include "store/topics.h"

enum { GROUP = -1001, NOW_MS = 1000000000 };

static struct arena *arena;
static struct store *store;

static void begin(void)
{
    arena = arena_new();
}
static void end(void)
{
    store_close(store);
    arena_free(arena);
}

static void open_store(int kind)
{
    char url[FIXTURE_URL_BYTES];
    fixture_url(kind, url);
    struct store_options o = { .url = url, .exclusive = true };
    ck_ok(store_open(&o, &store, e));
}

/* ---- one write each ---- */

struct job {
    struct outbox_row row;
    struct topic topic;
    int64_t id, changed, at_ms, run_at_ms;
    enum topic_refusal refusal;
    const char *project, *payload;
    int priority;
};

static enum status write_out(struct db *db, void *arg, struct error *e)
{
    struct job *j = arg;
    return outbox_put(db, &j->row, NOW_MS, &j->id, e);
}

static int64_t out_in(int64_t chat_id, int64_t topic_id, int priority)
{
    struct job j = { .row = { .channel = "telegram",
                              .chat_id = chat_id,
                              .topic_id = topic_id,
                              .kind = "message",
                              .priority = priority,
                              .payload = "{}" } };
    ck_ok(store_write(store, write_out, &j, e));
    return j.id;
}

static int64_t out(int priority)
{
    return out_in(GROUP, 0, priority);
}

static const int64_t *low_chats;
static int low_count;
static struct outbox_row *taken; /* the last one */
/* The id of the next row that goes out; 0 = none. */
static int64_t take(void)
{
    struct outbox_claim c = { .arena = arena,
                              .owner_id = store_owner_id(store),
                              .channels = ",telegram,",
                              .max = 1,
                              .skip_low_chats = low_chats,
                              .skip_low_count = low_count };
    ck_ok(store_write(store, outbox_claim, &c, e));
    taken = c.rows;
    return c.count ? c.rows[0].id : 0;
}

static enum status write_sent(struct db *db, void *row, struct error *e)
{
    return outbox_sent(db, row, 55, NOW_MS, e);
}
static void sent(void)
{
    ck_ok(store_write(store, write_sent, taken, e));
}

static enum status write_retry(struct db *db, void *row, struct error *e)
{
    return outbox_retry(db, row, INT64_MAX / 2, "later", e);
}

static enum status write_topic_for(struct db *db, void *arg, struct error *e)
{
    struct job *j = arg;
    return topic_for(db, arena, j->row.channel, j->row.chat_id, j->project, j->priority, j->at_ms, &j->topic, e);
}

static struct topic topic_at(const char *channel, int64_t chat_id, const char *project, int priority, int64_t at_ms)
{
    struct job j = {
        .row = { .channel = channel, .chat_id = chat_id }, .project = project, .priority = priority, .at_ms = at_ms
    };
    ck_ok(store_write(store, write_topic_for, &j, e));
    return j.topic;
}

static struct topic topic(const char *project, int priority)
{
    return topic_at("telegram", GROUP, project, priority, NOW_MS);
}

static enum status write_made(struct db *db, void *arg, struct error *e)
{
    struct job *j = arg;
    if (topic_made(db, j->row.topic_id, j->row.thread_id, &j->changed, e))
        return e->status;
    return j->id ? outbox_sent(db, taken, j->row.thread_id, NOW_MS, e) : OK;
}

/* The claimed row of kind 'topic' was sent. */
static int64_t made(int64_t thread_id)
{
    ck_assert_str_eq(taken->kind, "topic");
    struct job j = { .row = { .topic_id = taken->topic_id, .thread_id = thread_id }, .id = taken->id };
    ck_ok(store_write(store, write_made, &j, e));
    return j.changed;
}

static enum status write_lost(struct db *db, void *arg, struct error *e)
{
    struct job *j = arg;
    if (topic_lost(db, arena, taken->topic_id, taken->thread_id, taken->priority, j->at_ms, e))
        return e->status;
    return outbox_give_back(db, taken, NOW_MS, NULL, e);
}

/* The claimed message found no thread. */
static void lost(int64_t at_ms)
{
    struct job j = { .at_ms = at_ms };
    ck_ok(store_write(store, write_lost, &j, e));
}

static enum status write_refused(struct db *db, void *arg, struct error *e)
{
    struct job *j = arg;
    if (topic_refused(db, taken->topic_id, j->refusal, NOW_MS, e))
        return e->status;
    return outbox_sent(db, taken, 0, NOW_MS, e);
}

static void refused(enum topic_refusal refusal)
{
    struct job j = { .refusal = refusal };
    ck_assert_str_eq(taken->kind, "topic");
    ck_ok(store_write(store, write_refused, &j, e));
}

static int64_t waiting_topics(void)
{
    return read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'topic' AND state = 'available'");
}

/* ---- order ---- */

START_TEST(what_matters_more_goes_first)
{
    open_store(_i);
    int64_t low = out(5), reply = out(2), second = out(2), card = out(0), edit = out(1);
    const int64_t order[] = { card, edit, reply, second, low };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        ck_assert_int_eq(take(), order[i]);
        struct outbox_row *row = taken;
        int64_t urgent = i == 2 ? out(0) : 0;
        ck_assert_int_eq(take(), 0); /* one at a time, whatever comes in meanwhile */
        taken = row;
        sent();
        if (urgent) {
            ck_assert_int_eq(take(), urgent);
            sent();
        }
    }
    ck_assert_int_eq(take(), 0);
}
END_TEST

START_TEST(a_retry_holds_back_its_own_kind_and_less)
{
    open_store(_i);
    int64_t first = out(2);
    ck_assert_int_eq(take(), first);
    ck_ok(store_write(store, write_retry, taken, e));
    out(2);
    out(3);
    ck_assert_int_eq(take(), 0);
    int64_t other_chat = out_in(-7, 0, 5), card = out(0);
    ck_assert_int_eq(take(), card);
    sent();
    ck_assert_int_eq(take(), other_chat);
    sent();
    ck_assert_int_eq(take(), 0);
}
END_TEST

START_TEST(pacing_may_hold_back_the_low_alone)
{
    static const int64_t chats[] = { GROUP };
    open_store(_i);
    int64_t low = out(OUTBOX_LOW), elsewhere = out_in(-7, 0, OUTBOX_HEARTBEAT), reply = out(OUTBOX_REPLY);
    low_chats = chats;
    low_count = 1;
    ck_assert_int_eq(take(), reply);
    sent();
    ck_assert_int_eq(take(), elsewhere);
    sent();
    ck_assert_int_eq(take(), 0);
    low_count = 0;
    ck_assert_int_eq(take(), low);
}
END_TEST

static enum status write_replace(struct db *db, void *arg, struct error *e)
{
    struct job *j = arg;
    return outbox_replace(db, j->id, j->payload, j->priority, &j->changed, e);
}
static enum status write_withdraw(struct db *db, void *arg, struct error *e)
{
    struct job *j = arg;
    return outbox_withdraw(db, j->id, &j->changed, e);
}
static enum status write_unknown(struct db *db, void *row, struct error *e)
{
    return outbox_unknown(db, row, NOW_MS, "no answer", e);
}

START_TEST(waiting_rows_are_rewritten_and_taken_back)
{
    open_store(_i);
    int64_t a = out(5), b = out(2);
    struct job j = { .id = a, .payload = "{\"html\":\"new\"}", .priority = 0 };
    ck_ok(store_write(store, write_replace, &j, e));
    ck_assert_int_eq(j.changed, 1);
    ck_assert_int_eq(take(), a);
    ck_assert_str_eq(taken->payload, "{\"html\":\"new\"}");
    ck_assert_int_eq(taken->priority, 0);
    ck_ok(store_write(store, write_replace, &j, e)); /* it is being sent */
    ck_assert_int_eq(j.changed, 0);
    ck_ok(store_write(store, write_withdraw, &j, e));
    ck_assert_int_eq(j.changed, 0);
    ck_ok(store_write(store, write_unknown, taken, e)); /* it may stand there already */
    ck_ok(store_write(store, write_withdraw, &j, e));
    ck_assert_int_eq(j.changed, 0);
    j.id = b;
    ck_ok(store_write(store, write_withdraw, &j, e));
    ck_assert_int_eq(j.changed, 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox"), 1);
}
END_TEST

/* Two instances at the same moment: what just came in may not go out beside what the other one is taking. */
START_TEST(one_of_a_chat_at_a_time_on_several_instances)
{
    char url[FIXTURE_URL_BYTES];
    struct db *other;
    fixture_url(DB_POSTGRES, url);
    store = fixture_open_url(url);
    int64_t first = out(2), elsewhere = out_in(-7, 0, 2);
    struct outbox_claim c = { .arena = arena, .owner_id = 4711, .channels = ",telegram,", .max = 1 };
    ck_ok(db_open(url, true, &other, e));
    ck_ok(db_begin(other, e));
    ck_ok(outbox_claim(other, &c, e));
    ck_assert_int_eq(c.rows[0].id, first);
    int64_t urgent = out(0);
    ck_assert_int_eq(take(), elsewhere); /* the urgent one is the head, and yet not now */
    sent();
    ck_assert_int_eq(take(), 0);
    ck_ok(db_commit(other, e));
    ck_assert_int_eq(take(), 0);
    taken = c.rows;
    sent();
    ck_assert_int_eq(take(), urgent);
    db_close(other);
}
END_TEST

/* ---- topics ---- */

START_TEST(a_topic_is_made_once_and_before_what_waits_for_it)
{
    open_store(_i);
    struct topic t = topic("web", 3);
    ck_assert(t.id && !t.thread_id);
    ck_assert_str_eq(t.project, "web");
    ck_assert_int_eq(topic("web", 5).id, t.id);
    ck_assert_int_eq(waiting_topics(), 1);
    int64_t first = out_in(GROUP, t.id, 3), other = out_in(GROUP, 0, 3), card = out_in(GROUP, t.id, 0);
    int64_t maker = take();
    ck_assert_str_eq(taken->kind, "topic");
    ck_assert_int_eq(taken->priority, 0); /* raised by the card */
    ck_assert_msg(strstr(taken->payload, "\"name\":\"web\""), "%s", taken->payload);
    ck_assert_int_eq(made(77), 1);
    ck_assert_int_eq(take(), card);
    ck_assert_int_eq(taken->thread_id, 77);
    ck_assert_int_eq(taken->topic_id, t.id);
    sent();
    ck_assert_int_eq(take(), first);
    sent();
    ck_assert_int_eq(take(), other);
    ck_assert_int_eq(taken->thread_id, 0);
    sent();
    t = topic("web", 0);
    ck_assert_int_eq(t.thread_id, 77);
    ck_assert_int_eq(waiting_topics(), 0);
    ck_assert_int_ne(maker, 0);
}
END_TEST

START_TEST(a_topic_that_takes_long_holds_back_nobody_else)
{
    open_store(_i);
    struct topic t = topic("web", 0);
    ck_assert_int_ne(take(), 0);
    ck_ok(store_write(store, write_retry, taken, e)); /* 429: it waits */
    out_in(GROUP, t.id, 0);
    ck_assert_int_eq(take(), 0); /* the topic's row is as important as anything */
    ck_ok(store_write(store, write_script, "UPDATE outbox SET priority = 4 WHERE kind = 'topic'", e));
    int64_t other = out(2);
    ck_assert_int_eq(take(), other); /* a card that waits for its topic does not stand in the way */
}
END_TEST

START_TEST(names_are_cut_at_128)
{
    char name[400];
    open_store(_i);
    memset(name, 'x', sizeof name);
    memcpy(name + 126, "😀😀", 8); /* units 127 to 130 */
    name[300] = '\0';
    topic(name, 2);
    ck_assert_int_ne(take(), 0);
    const char *after = strstr(taken->payload, "xxx");
    ck_assert_uint_eq(strspn(after, "x"), 126);
    ck_assert_msg(strncmp(after + 126, "😀\"", 5) == 0, "%s", taken->payload);
}
END_TEST

START_TEST(chats_without_topics_have_none)
{
    open_store(_i);
    ck_assert_int_eq(topic_at("telegram", 42, "web", 0, NOW_MS).id, 0);
    ck_assert_int_eq(topic_at("console", 0, "web", 0, NOW_MS).id, 0);
    struct topic web = topic("web", 2), api = topic("api", 2);
    ck_assert(web.id && api.id);
    int64_t first = out_in(GROUP, web.id, 2), second = out_in(GROUP, api.id, 2);
    ck_assert_int_ne(take(), 0);
    refused(TOPIC_NO_FORUM);
    ck_assert_int_eq(waiting_topics(), 0); /* nor is the other one tried */
    ck_assert_int_eq(take(), first);
    ck_assert_int_eq(taken->thread_id, 0);
    sent();
    ck_assert_int_eq(take(), second);
    sent();
    ck_assert_int_eq(topic("web", 0).id, 0);
    ck_assert_int_eq(topic("new", 0).id, 0);
    ck_assert_int_eq(topic_at("telegram", GROUP, "web", 0, NOW_MS + TOPIC_RETRY_MS).id, web.id);
    ck_assert_int_eq(waiting_topics(), 1);
}
END_TEST

static enum status write_forum(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    return topic_chat_is_forum(db, "telegram", GROUP, e);
}
static enum status write_rights(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    return topic_chat_rights(db, "telegram", GROUP, e);
}

START_TEST(a_chat_that_changes_is_asked_again)
{
    open_store(_i);
    topic("web", 2);
    ck_assert_int_ne(take(), 0);
    refused(TOPIC_NO_RIGHTS);
    ck_ok(store_write(store, write_forum, NULL, e)); /* it was a forum all along */
    ck_assert_int_eq(topic("web", 2).id, 0);
    ck_ok(store_write(store, write_rights, NULL, e));
    ck_assert_int_ne(topic("web", 2).id, 0);
    ck_assert_int_ne(take(), 0);
    refused(TOPIC_NO_FORUM);
    ck_ok(store_write(store, write_forum, NULL, e));
    ck_assert_int_ne(topic("web", 2).id, 0);
}
END_TEST

START_TEST(a_lost_topic_is_made_again_but_not_for_ever)
{
    open_store(_i);
    struct topic t = topic("web", 3);
    take();
    made(100);
    int64_t before = out(3), row = out_in(GROUP, t.id, 3);
    for (int i = 0; i < TOPIC_LOST_MAX; i++) {
        if (i == 0) {
            ck_assert_int_eq(take(), before);
            sent();
            for (int k = 0; k < 5; k++) /* waits longer than the new topic */
                out(3);
        }
        ck_assert_int_eq(take(), row);
        ck_assert_int_eq(taken->thread_id, 100 + i);
        struct outbox_row *first = taken;
        lost(NOW_MS + i);
        taken = first;
        struct job again = { .at_ms = NOW_MS + i };
        ck_is(store_write(store, write_lost, &again, e), ST_LOST, "another"); /* found out twice: once is enough */
        ck_assert_int_eq(waiting_topics(), 1);
        ck_assert_int_ne(take(), 0);
        ck_assert_int_eq(made(101 + i), 1);
    }
    ck_assert_int_eq(take(), row);
    lost(NOW_MS + 10);
    ck_assert_int_eq(waiting_topics(), 0);
    ck_assert_int_eq(take(), row);
    ck_assert_int_eq(taken->thread_id, 0);
    ck_assert_int_eq(taken->attempts, 0);
    ck_assert_int_eq(topic("web", 0).id, 0);
}
END_TEST

START_TEST(a_topic_made_twice_is_noticed)
{
    open_store(_i);
    struct topic t = topic("web", 3);
    take();
    ck_assert_int_eq(made(5), 1);
    struct job j = { .row = { .topic_id = t.id, .thread_id = 6 } };
    ck_ok(store_write(store, write_made, &j, e));
    ck_assert_int_eq(j.changed, 0);
    ck_assert_int_eq(topic("web", 3).thread_id, 5);
}
END_TEST

static enum status write_names(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    if (topic_renamed(db, "telegram", GROUP, 5, "The Web", e))
        return e->status;
    return topic_renamed(db, "telegram", GROUP, 99, "no", e); /* nobody's: no error */
}

START_TEST(people_rename_topics)
{
    open_store(_i);
    topic("web", 3);
    take();
    made(5);
    ck_ok(store_write(store, write_names, NULL, e));
    struct topic t = topic("web", 3);
    ck_assert_str_eq(t.name, "The Web");
    ck_assert_str_eq(t.project, "web");
    ck_assert_int_eq(t.thread_id, 5);
    int64_t row = out_in(GROUP, t.id, 3);
    ck_assert_int_eq(take(), row);
    lost(NOW_MS);
    take();
    ck_assert_msg(strstr(taken->payload, "The Web"), "%s", taken->payload);
}
END_TEST

/* ---- moves ---- */

static enum status write_moved(struct db *db, void *arg, struct error *e)
{
    struct job *j = arg;
    if (chat_moved(db, "telegram", GROUP, -2002, e) || chat_moved(db, "telegram", GROUP, -2002, e))
        return e->status;
    return chat_now(db, "telegram", GROUP, &j->id, e);
}
static enum status write_now(struct db *db, void *arg, struct error *e)
{
    struct job *j = arg;
    if (chat_moved(db, "telegram", -2002, -3003, e) || chat_now(db, "telegram", GROUP, &j->id, e))
        return e->status;
    return chat_now(db, "console", GROUP, &j->changed, e);
}

START_TEST(a_group_moves_with_everything)
{
    open_store(_i);
    struct topic web = topic("web", 3), twin = topic_at("telegram", -2002, "web", 3, NOW_MS), api = topic("api", 3);
    int64_t a = out_in(GROUP, web.id, 0);
    ck_ok(store_write(
        store, write_script,
        "INSERT INTO requests (request_id, content_hash, origin, project, type, message, state, created_at)"
        " VALUES ('r', 'h', 'send', 'web', 'blocking', 'm', 'open', 1);"
        "INSERT INTO cards (kind, request_id, project, channel, chat_id, nonce, message_id, sent_version, created_at)"
        " VALUES ('request', 1, 'web', 'telegram', -1001, 'n', 9, 3, 1)",
        e));
    struct job j = { 0 };
    ck_ok(store_write(store, write_moved, &j, e));
    ck_assert_int_eq(j.id, -2002);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM topics WHERE chat_id = -2002"), 2);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM topics"), 2);
    ck_assert_int_eq(read_int(store, "SELECT topic_id FROM outbox WHERE kind = 'message'"), twin.id);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE chat_id = -2002"), 4);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM cards WHERE chat_id = -2002 AND message_id IS NULL"
                                     " AND sent_version = 0"),
                     1);
    ck_assert_int_eq(topic_at("telegram", -2002, "api", 3, NOW_MS).id, api.id);
    ck_ok(store_write(store, write_now, &j, e));
    ck_assert_int_eq(j.id, -3003);
    ck_assert_int_eq(j.changed, GROUP);
    ck_assert_int_ne(a, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topics");
    TCase *c = tcase_create("topics");
    tcase_add_checked_fixture(c, begin, end);
    tcase_set_timeout(c, FIXTURE_TEST_S);
    tcase_add_loop_test(c, what_matters_more_goes_first, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_retry_holds_back_its_own_kind_and_less, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, pacing_may_hold_back_the_low_alone, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, waiting_rows_are_rewritten_and_taken_back, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_test(c, one_of_a_chat_at_a_time_on_several_instances);
    tcase_add_loop_test(c, a_topic_is_made_once_and_before_what_waits_for_it, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_topic_that_takes_long_holds_back_nobody_else, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, names_are_cut_at_128, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, chats_without_topics_have_none, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_chat_that_changes_is_asked_again, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_lost_topic_is_made_again_but_not_for_ever, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_topic_made_twice_is_noticed, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, people_rename_topics, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_group_moves_with_everything, DB_SQLITE, DB_POSTGRES + 1);
    suite_add_tcase(suite, c);
    return fixture_main(suite, false);
}
