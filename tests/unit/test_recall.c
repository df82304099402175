/* SPDX-License-Identifier: MIT
 * The live index on both databases: vectors of rows, the feed of changes, and searches that follow them. */
#include "embeddings/recall.h"
#include "store/vectors.h"
#include "store/vectors_feed.h"
#include "tests/unit/store_fixture.h"

static struct store *store;
static struct recall *recall;
static struct arena *arena;

static const char rows[] =
    "INSERT INTO users (id, zone, created_at) VALUES (1,'UTC',1), (2,'UTC',1);"
    "INSERT INTO categories (id, user_id, name, name_key, created_at) VALUES (1,1,'Home','home',1);"
    "INSERT INTO notes (id, user_id, content, category_id, created_date) VALUES"
    " (1,1,'the wifi password is hunter2',1,'2026-11-12T10:00:00Z'),"
    " (2,1,'Anna likes orchids',NULL,'2026-09-12T10:00:00Z'),"
    " (3,2,'another orchid',NULL,'2026-09-12T10:00:00Z');"
    "INSERT INTO tasks (id, user_id, content, category_id, due_date, created_date, completed) VALUES"
    " (1,1,'water the orchids',1,'2026-11-21','2026-11-01T10:00:00Z',0);"
    "INSERT INTO sleep_logs (id, user_id, date, hours, notes, created_date) VALUES"
    " (1,1,'2026-11-09',7,'dreamt of orchids','2026-11-09T10:00:00Z');";

static void change(const char *sql)
{
    ck_ok(store_write(store, write_script, (void *)sql, e));
}

static void open_rows(int kind)
{
    struct recall_options o = { .model = "m", .dimensions = 4 };
    store = fixture_open(kind);
    arena = arena_new();
    recall = recall_new(&o);
}

static void close_rows(void)
{
    recall_free(recall);
    arena_free(arena);
    store_close(store);
}

/* "note_1 task_1": the ids found, best first. */
static const char *find_with(struct recall_query q)
{
    struct recall_hit *hit;
    size_t count;
    struct db *db;
    const char *ids = "";
    q.limit = q.limit ? q.limit : 10;
    ck_ok(store_read_begin(store, &db, e));
    ck_ok(recall_find(recall, db, arena, &q, &hit, &count, e));
    store_read_end(store, db);
    for (size_t i = 0; i < count; i++)
        ids =
            arena_printf(arena, "%s%s%s_%d", ids, i ? " " : "", recall_type_name(hit[i].row.type), (int)hit[i].row.id);
    return ids;
}

static const char *find(const char *text)
{
    return find_with((struct recall_query){ .user_id = 1, .text = text });
}

static const char *find_near(const float *vector, const char *text)
{
    return find_with((struct recall_query){ .user_id = 1, .text = text, .vector = vector });
}

struct put {
    const char *type;
    int64_t id;
    float v[4];
    bool stale;
};

static enum status put_vector(struct db *db, void *arg, struct error *error)
{
    struct put *p = arg;
    struct arena *a = arena_new();
    struct recall_row row;
    bool found;
    char hash[VECTOR_HASH_BYTES];
    enum status st = recall_row_get(db, a, 1, recall_type_find(p->type), p->id, &row, &found, error);
    ck_assert(st == OK && found);
    vector_hash(p->stale ? "something else" : vector_text(a, &row), hash);
    struct vector v = { p->type, p->id, 1, hash, p->v, 4 };
    st = vector_put(db, "m", &v, 1, error);
    arena_free(a);
    return st;
}

static void embed(const char *type, int64_t id, float a, float b, float c, float d)
{
    struct put p = { type, id, { a, b, c, d }, false };
    ck_ok(store_write(store, put_vector, &p, e));
}

static const float east[4] = { 1, 0, 0, 0 }, north[4] = { 0, 1, 0, 0 };

START_TEST(words_follow_every_change)
{
    open_rows(_i);
    change(rows);
    ck_assert_str_eq(find("password"), "note_1");
    ck_assert_ptr_null(strstr(find("orchids"), "note_3"));
    change("UPDATE notes SET content = 'the door code is 77' WHERE id = 1");
    ck_assert_str_eq(find("password"), "");
    ck_assert_str_eq(find("door"), "note_1");
    change("UPDATE notes SET deleted_at = 5 WHERE id = 1");
    ck_assert_str_eq(find("door"), "");
    change("UPDATE notes SET deleted_at = NULL WHERE id = 1");
    ck_assert_str_eq(find("door"), "note_1");
    change("UPDATE categories SET name = 'Cabin' WHERE id = 1");
    ck_assert_ptr_nonnull(strstr(find("cabin"), "task_1"));
    ck_assert_str_eq(find("dreamt"), "sleep_1");
    change("UPDATE sleep_logs SET notes = 'quiet' WHERE id = 1");
    ck_assert_str_eq(find("dreamt"), "");
    change("DELETE FROM tasks WHERE id = 1");
    ck_assert_ptr_null(strstr(find("cabin"), "task_1"));
    close_rows();
}
END_TEST

START_TEST(meaning_follows_every_change)
{
    open_rows(_i);
    change(rows);
    embed("note", 1, 1, 0, 0, 0);
    embed("note", 2, 0, 1, 0, 0);
    embed("task", 1, 0, 0.9f, 0.4f, 0);
    ck_assert_int_eq(strncmp(find_near(east, "zzz"), "note_1", 6), 0);
    ck_assert_int_eq(strncmp(find_near(north, "zzz"), "note_2 task_1", 13), 0);
    /* an edit takes the old vector out at once; the same words bring it back */
    change("UPDATE notes SET content = 'new words' WHERE id = 1");
    ck_assert_ptr_null(strstr(find_near(east, "zzz"), "note_1"));
    struct recall_wanted wanted[8];
    ck_assert_uint_eq(recall_wanted(recall, wanted, 8), 2); /* note 1 and the sleep log */
    change("UPDATE notes SET content = 'the wifi password is hunter2' WHERE id = 1");
    ck_assert_int_eq(strncmp(find_near(east, "zzz"), "note_1", 6), 0);
    change("UPDATE notes SET deleted_at = 5 WHERE id = 1");
    ck_assert_ptr_null(strstr(find_near(east, "zzz"), "note_1"));
    change("UPDATE notes SET deleted_at = NULL WHERE id = 1");
    ck_assert_int_eq(strncmp(find_near(east, "zzz"), "note_1", 6), 0);
    /* a vector that was written again counts as it is now */
    embed("note", 1, 0, 0, 0, 1);
    ck_assert_int_ne(strncmp(find_near(east, "zzz"), "note_1", 6), 0);
    struct put stale = { "note", 2, { 1, 0, 0, 0 }, true };
    ck_ok(store_write(store, put_vector, &stale, e));
    ck_assert_ptr_null(strstr(find_near(east, "zzz"), "note_2"));
    close_rows();
}
END_TEST

START_TEST(filters_do_not_shrink)
{
    open_rows(_i);
    change(rows);
    for (int id = 101; id <= 140; id++) {
        change(arena_printf(arena,
                            "INSERT INTO notes (id, user_id, content, category_id, created_date) VALUES"
                            " (%d,1,'filler %d',%s,'2026-10-%02dT23:30:00Z')",
                            id, id, id % 4 ? "NULL" : "1", (id - 101) % 28 + 1));
        embed("note", id, 1, 0.001f * (float)id, 0, 0);
    }
    embed("note", 2, 0, 1, 0, 0);
    struct recall_query q = { .user_id = 1, .text = "zzz", .vector = east, .limit = 3 };
    q.filter.category = "home";
    const char *ids = find_with(q);
    ck_assert_str_eq(ids, "note_104 note_108 note_112");
    q.filter.category = NULL;
    struct civil day = { .year = 2026, .month = 9, .day = 12, .hour = -1 };
    q.filter.from = q.filter.to = &day;
    ck_assert_str_eq(find_with(q), "note_2");
    /* 23:30 UTC is the next day in Berlin */
    struct civil second = { .year = 2026, .month = 10, .day = 2, .hour = -1 };
    q.filter.from = q.filter.to = &second;
    q.zone = "Europe/Berlin";
    ck_assert_str_eq(find_with(q), "note_101 note_129");
    q.filter.mask = RECALL_TASKS;
    ck_assert_str_eq(find_with(q), "");
    close_rows();
}
END_TEST

/* More than the feed hands out one by one: everything is read again. */
START_TEST(many_changes_at_once)
{
    open_rows(_i);
    change(rows);
    ck_assert_str_eq(find("filler"), "");
    change("WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 7000)"
           " INSERT INTO notes (id, user_id, content, created_date)"
           " SELECT i, 1, 'filler ' || i, '2026-10-01T10:00:00Z' FROM n");
    ck_assert_str_eq(find("6789"), "note_6789");
    ck_assert_str_eq(find("6789"), "note_6789");
    change("UPDATE notes SET deleted_at = 5 WHERE id >= 1000");
    ck_assert_str_eq(find("filler"), "");
    close_rows();
}
END_TEST

START_TEST(a_floor_and_doubles)
{
    open_rows(_i);
    change(rows);
    change(
        "INSERT INTO notes (id, user_id, content, created_date) VALUES (11,1,'the spare key','2026-01-01T10:00:00Z'),"
        " (12,1,'the spare key','2026-02-01T10:00:00Z'), (13,1,'a key for the shed','2026-03-01T10:00:00Z')");
    struct recall_query q = { .user_id = 1, .text = "spare key", .floor = 0.4 };
    ck_assert_str_eq(find_with(q), "note_11 note_13");
    q.text = "submarine volcano";
    ck_assert_str_eq(find_with(q), "");
    embed("note", 2, 0, 1, 0, 0);
    q.vector = north;
    ck_assert_str_eq(find_with(q), "note_2");
    q.vector = east;
    ck_assert_str_eq(find_with(q), "");
    close_rows();
}
END_TEST

START_TEST(the_newer_counts_more_only_when_asked)
{
    open_rows(_i);
    change(rows);
    change("INSERT INTO notes (id, user_id, content, created_date) VALUES (11,1,'sauna repair','2024-01-01T10:00:00Z'),"
           " (12,1,'sauna repair by Tom','2026-11-01T10:00:00Z')");
    struct recall_query q = { .user_id = 1, .text = "sauna repair" };
    ck_assert_str_eq(find_with(q), "note_11 note_12");
    q.now_ms = 1795000000000; /* 2026-11-18 */
    ck_assert_str_eq(find_with(q), "note_12 note_11");
    close_rows();
}
END_TEST

/* On PostgreSQL a position passes a change when every transaction of the cluster begun before it has ended; others
 * than this test's may be under way. */
static void wait_for_position(void)
{
    int64_t newest = 0, position = 0;
    for (int i = 0; i < 4000 && position <= newest; i++) {
        struct db *db;
        clock_sleep_ms(i > 0 ? 5 : 0);
        ck_ok(store_read_begin(store, &db, e));
        ck_ok(db_get_int(db, &newest, NULL, e,
                         db_dialect(db, "SELECT max(id) FROM row_changes", "SELECT max(xact) FROM row_changes")));
        ck_ok(feed_position(db, &position, e));
        store_read_end(store, db);
    }
    ck_assert_int_gt(position, newest);
}

START_TEST(the_feed_sees_each_item_once)
{
    struct db *db;
    struct feed_change *c;
    size_t count;
    int64_t before, after;
    bool lost;
    open_rows(_i);
    ck_ok(store_read_begin(store, &db, e));
    ck_ok(feed_position(db, &before, e));
    store_read_end(store, db);
    change(rows);
    change("UPDATE notes SET content = 'x' WHERE id = 1");
    change("UPDATE tasks SET reminded_at = 5 WHERE id = 1"); /* nothing a search sees */
    wait_for_position();
    ck_ok(store_read_begin(store, &db, e));
    ck_ok(feed_read(db, arena, 1, before, &c, &count, &after, &lost, e));
    store_read_end(store, db);
    ck_assert(!lost);
    ck_assert_uint_eq(count, 4); /* task 1, notes 1 and 2, sleep 1 */
    ck_assert_int_gt(after, before);
    ck_ok(store_read_begin(store, &db, e));
    ck_ok(feed_read(db, arena, 1, after, &c, &count, &before, &lost, e));
    ck_assert_uint_eq(count, 0);
    ck_ok(feed_read(db, arena, 1, after + 1000000, &c, &count, &before, &lost, e));
    ck_assert_msg(lost, "a position of another life of the database");
    store_read_end(store, db);
    close_rows();
}
END_TEST

struct lease {
    int64_t owner, now_ms;
    bool ours;
};
static enum status take(struct db *db, void *arg, struct error *error)
{
    struct lease *l = arg;
    return feed_lease(db, l->owner, l->now_ms, l->now_ms + 1000, &l->ours, error);
}

START_TEST(one_embeds_at_a_time)
{
    open_rows(_i);
    struct lease mine = { store_owner_id(store), 1000, false };
    ck_ok(store_write(store, take, &mine, e));
    ck_assert(mine.ours);
    struct lease other = { store_owner_id(store) + 1, 1500, false };
    ck_ok(store_write(store, take, &other, e));
    ck_assert_msg(_i == DB_POSTGRES || !other.ours, "a living process holds it");
    other.now_ms = 5000;
    ck_ok(store_write(store, take, &other, e));
    ck_assert_msg(other.ours, "it ran out");
    close_rows();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recall");
    TCase *both = tcase_create("both databases");
    tcase_set_timeout(both, FIXTURE_TEST_S);
    tcase_add_loop_test(both, words_follow_every_change, 0, 2);
    tcase_add_loop_test(both, meaning_follows_every_change, 0, 2);
    tcase_add_loop_test(both, filters_do_not_shrink, 0, 2);
    tcase_add_loop_test(both, many_changes_at_once, 0, 2);
    tcase_add_loop_test(both, a_floor_and_doubles, 0, 2);
    tcase_add_loop_test(both, the_newer_counts_more_only_when_asked, 0, 2);
    tcase_add_loop_test(both, the_feed_sees_each_item_once, 0, 2);
    tcase_add_loop_test(both, one_embeds_at_a_time, 0, 2);
    suite_add_tcase(suite, both);
    return fixture_main(suite, false);
}
