/* SPDX-License-Identifier: MIT
 * Write transactions, reads and hints with many threads, on SQLite and on PostgreSQL. */
#include "base/limits.h"
#include "tests/unit/store_fixture.h"

/* --- many threads --- */

enum { THREADS = 16, WRITES = 60, EVERY_FAILING = 7 };

struct client {
    struct store *store;
    pthread_t thread;
    int number;
    int written, refused, own, odd; /* outcomes as the caller saw them */
    int64_t id;
    bool fails;
};

static enum status write_client_row(struct db *db, void *arg, struct error *e)
{
    struct client *c = arg;
    enum status st = db_run(db, e, "INSERT INTO t (id, n) VALUES ($1, $2)", p_int(c->id), p_int(c->number));
    if (st == OK && c->fails && c->id % 2)
        return fail(e, ST_CONFLICT, "client %d does not want it", c->number);
    if (st == OK && c->fails) /* taken: a failure of the database */
        st = db_run(db, e, "INSERT INTO t (id) VALUES ($1)", p_int(c->id));
    return st;
}

static void *client_main(void *arg)
{
    struct client *c = arg;
    for (int i = 0; i < WRITES; i++) {
        struct error e = { 0 };
        char own[64];
        c->id = c->number * WRITES + i;
        c->fails = i % EVERY_FAILING == 0;
        snprintf(own, sizeof own, "client %d does not want it", c->number);
        enum status st = i % 3 ? store_write(c->store, write_client_row, c, &e)
                               : store_write_relaxed(c->store, write_client_row, c, &e);
        c->written += st == OK && !c->fails;
        c->refused += st == ST_EXISTS && c->fails && c->id % 2 == 0;
        c->own += st == ST_CONFLICT && c->fails && c->id % 2 == 1 && strcmp(e.text, own) == 0;
        if (i % 10 == 0) {
            struct db *db;
            int64_t mine = -1;
            if (store_read_begin(c->store, &db, &e) != OK ||
                db_get_int(db, &mine, NULL, &e, "SELECT count(*) FROM t WHERE n = $1", p_int(c->number)) != OK)
                c->odd++;
            c->odd += mine != c->written; /* what was acknowledged is seen by the next read */
            store_read_end(c->store, db);
        }
    }
    return NULL;
}

START_TEST(threads_write_and_fail)
{
    struct store *store = fixture_open_table(_i);
    struct client client[THREADS];
    int written = 0, failed = 0;
    for (int i = 0; i < THREADS; i++) {
        client[i] = (struct client){ .store = store, .number = i };
        ck_assert_int_eq(pthread_create(&client[i].thread, NULL, client_main, &client[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(client[i].thread, NULL);
        ck_assert_int_eq(client[i].odd, 0);
        written += client[i].written;
        failed += client[i].refused + client[i].own;
    }
    int each = (WRITES + EVERY_FAILING - 1) / EVERY_FAILING;
    ck_assert_int_eq(failed, THREADS * each);
    ck_assert_int_eq(written, THREADS * (WRITES - each));
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), written);
    store_close(store);
}
END_TEST

/* --- group commit: a first write holds the writer until the others are queued --- */

struct gate {
    struct store *store;
    atomic_bool entered;
    int members;
};

static enum status write_gate(struct db *db, void *arg, struct error *e)
{
    struct gate *g = arg;
    struct store_counters c;
    (void)db;
    (void)e;
    atomic_store(&g->entered, true);
    do {
        clock_sleep_ms(1);
        store_count(g->store, &c);
    } while (c.queue_depth < g->members + 1);
    return OK;
}

struct member {
    struct gate *gate;
    pthread_t thread;
    int64_t id;
    bool fatal; /* takes the whole transaction with it */
    atomic_int runs;
    enum status status;
};

static enum status write_member(struct db *db, void *arg, struct error *e)
{
    struct member *m = arg;
    m->runs++;
    if (m->fatal)
        return db_run(db, e, "INSERT OR ROLLBACK INTO t (id) VALUES (1000)");
    return db_run(db, e, "INSERT INTO t (id) VALUES ($1)", p_int(m->id));
}

static void *gate_main(void *arg)
{
    struct gate *g = arg;
    ck_ok(store_write(g->store, write_gate, g, e));
    return NULL;
}

static void *member_main(void *arg)
{
    struct member *m = arg;
    struct error e;
    m->status = store_write(m->gate->store, write_member, m, &e);
    return NULL;
}

static void gate_run(struct store *store, struct member *member, int count)
{
    struct gate g = { .store = store, .members = count };
    pthread_t first;
    ck_assert_int_eq(pthread_create(&first, NULL, gate_main, &g), 0);
    while (!atomic_load(&g.entered))
        clock_sleep_ms(1);
    for (int i = 0; i < count; i++) {
        member[i].gate = &g;
        member[i].id = i + 1;
        ck_assert_int_eq(pthread_create(&member[i].thread, NULL, member_main, &member[i]), 0);
    }
    pthread_join(first, NULL);
    for (int i = 0; i < count; i++)
        pthread_join(member[i].thread, NULL);
}

START_TEST(queued_writes_share_a_commit)
{
    struct store *store = fixture_open_table(DB_SQLITE);
    struct member member[20] = { 0 };
    struct store_counters before, after;
    store_count(store, &before);
    gate_run(store, member, 20);
    store_count(store, &after);
    ck_assert_int_eq(after.commits - before.commits, 2); /* the gate's own, and one for all of them */
    ck_assert_int_eq(after.writes - before.writes, 21);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 20);
    store_close(store);
}
END_TEST

START_TEST(a_lost_batch_runs_again)
{
    struct store *store = fixture_open_table(DB_SQLITE);
    ck_ok(store_write(store, write_script, "INSERT INTO t (id) VALUES (1000)", e));
    struct member member[9] = { 0 };
    int runs = 0;
    member[4].fatal = true;
    gate_run(store, member, 9);
    for (int i = 0; i < 9; i++) {
        ck_assert_int_eq(member[i].status, i == 4 ? ST_EXISTS : OK);
        runs += atomic_load(&member[i].runs);
    }
    ck_assert_int_eq(atomic_load(&member[4].runs), 1);
    ck_assert_int_ge(runs, 9);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 1 + 8);
    store_close(store);
}
END_TEST

/* --- durability class --- */

static enum status write_durability(struct db *db, void *arg, struct error *e)
{
    struct stmt *s = db_query(db, db_dialect(db, "PRAGMA synchronous", "SHOW synchronous_commit"));
    snprintf(arg, 16, "%s", db_step(s) ? db_text(s, 0) : "");
    return db_done(s, e);
}

START_TEST(relaxed_and_durable)
{
    struct store *store = fixture_open(_i);
    char seen[16];
    /* On SQLite the disk is waited for apart from the commit: test_store_flush.c. */
    const char *full = _i == DB_SQLITE ? "1" : "on", *relaxed = _i == DB_SQLITE ? "1" : "off";
    for (int round = 0; round < 2; round++) {
        ck_ok(store_write(store, write_durability, seen, e));
        ck_assert_str_eq(seen, full);
        ck_ok(store_write_relaxed(store, write_durability, seen, e));
        ck_assert_str_eq(seen, relaxed);
    }
    store_close(store);
}
END_TEST

/* --- reads --- */

START_TEST(readers_see_one_snapshot)
{
    struct store *store = fixture_open_table(_i);
    struct db *db;
    int64_t n = -1;
    ck_ok(store_write(store, write_script, "INSERT INTO t (id) VALUES (1)", e));
    ck_ok(store_read_begin(store, &db, e));
    ck_ok(db_get_int(db, &n, NULL, e, "SELECT count(*) FROM t"));
    ck_assert_int_eq(n, 1);
    ck_ok(store_write(store, write_script, "INSERT INTO t (id) VALUES (2)", e));
    ck_ok(db_get_int(db, &n, NULL, e, "SELECT count(*) FROM t"));
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 2);
    store_read_end(store, db);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 2);

    ck_ok(store_read_begin(store, &db, e));
    ck_assert_int_ne(db_run(db, NULL, "INSERT INTO t (id) VALUES (3)"), OK);
    store_read_end(store, db);
    ck_ok(store_read_begin(store, &db, e)); /* the failure ended with its read */
    ck_ok(db_get_int(db, &n, NULL, e, "SELECT count(*) FROM t"));
    store_read_end(store, db);
    ck_assert_int_eq(n, 2);
    store_close(store);
}
END_TEST

START_TEST(readers_are_bounded)
{
    char url[FIXTURE_URL_BYTES];
    struct store *store;
    struct db *db[2], *third;
    fixture_url(_i, url);
    struct store_options o = { .url = url, .readers_max = 2 };
    ck_ok(store_open(&o, &store, e));
    ck_ok(store_read_begin(store, &db[0], e));
    ck_ok(store_read_begin(store, &db[1], e));
    ck_is(store_read_begin(store, &third, e), ST_BUSY, "in use");
    store_read_end(store, db[0]);
    ck_ok(store_read_begin(store, &third, e));
    store_read_end(store, third);
    store_read_end(store, db[1]);
    store_close(store);
}
END_TEST

/* --- deadlocks (PostgreSQL: on SQLite there is one writer) --- */

struct crossing {
    struct store *store;
    pthread_t thread;
    pthread_barrier_t *both_hold;
    int64_t first, second;
    int runs;
    enum status status;
};

static enum status write_crossing(struct db *db, void *arg, struct error *e)
{
    struct crossing *c = arg;
    c->runs++;
    enum status st = db_run(db, e, "UPDATE t SET n = n + 1 WHERE id = $1", p_int(c->first));
    if (c->runs == 1)
        pthread_barrier_wait(c->both_hold);
    return st == OK ? db_run(db, e, "UPDATE t SET n = n + 1 WHERE id = $1", p_int(c->second)) : st;
}

static void *crossing_main(void *arg)
{
    struct crossing *c = arg;
    struct error e;
    c->status = store_write(c->store, write_crossing, c, &e);
    return NULL;
}

START_TEST(a_deadlock_is_resolved)
{
    struct store *store = fixture_open_table(DB_POSTGRES);
    pthread_barrier_t both_hold;
    pthread_barrier_init(&both_hold, NULL, 2);
    ck_ok(store_write(store, write_script, "INSERT INTO t (id, n) VALUES (1, 0), (2, 0)", e));
    struct crossing c[2] = { { .store = store, .both_hold = &both_hold, .first = 1, .second = 2 },
                             { .store = store, .both_hold = &both_hold, .first = 2, .second = 1 } };
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&c[i].thread, NULL, crossing_main, &c[i]), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(c[i].thread, NULL);
        ck_assert_int_eq(c[i].status, OK);
    }
    ck_assert_int_ge(c[0].runs + c[1].runs, 3);
    ck_assert_int_eq(read_int(store, "SELECT sum(n) FROM t"), 4);
    pthread_barrier_destroy(&both_hold);
    store_close(store);
}
END_TEST

static enum status write_inside(struct db *db, void *arg, struct error *e)
{
    (void)db;
    return store_write(arg, write_table, NULL, e);
}

START_TEST(a_write_inside_a_write_is_refused)
{
    struct store *store = fixture_open(_i);
    ck_is(store_write(store, write_inside, store, e), ST_INTERNAL, "inside a write");
    ck_ok(store_write(store, write_table, NULL, e));
    ck_ok(store_check(store, e));
    store_close(store);
}
END_TEST

/* --- time, owners, hints --- */

struct owner_question {
    int64_t id, now_ms;
    bool alive;
};

static enum status write_owner(struct db *db, void *arg, struct error *e)
{
    struct owner_question *q = arg;
    enum status st = store_owner_alive(db, q->id, &q->alive, e);
    return st == OK ? db_now_ms(db, &q->now_ms, e) : st;
}

static bool owner_alive(struct store *asking, int64_t id)
{
    struct owner_question q = { .id = id };
    ck_ok(store_write(asking, write_owner, &q, e));
    return q.alive;
}

START_TEST(clock_and_own_id)
{
    char url[FIXTURE_URL_BYTES];
    struct store *store;
    fixture_url(_i, url);
    struct store_options o = { .url = url, .exclusive = true };
    ck_ok(store_open(&o, &store, e));
    struct owner_question q = { .id = store_owner_id(store) };
    ck_assert_int_gt(q.id, 0);
    ck_assert_int_le(q.id, INT32_MAX);
    ck_ok(store_write(store, write_owner, &q, e));
    ck_assert(q.alive);
    int64_t before = q.now_ms;
    ck_ok(store_write(store, write_owner, &q, e));
    ck_assert_int_ge(q.now_ms, before);
    ck_assert_int_gt(before, 1700000000000);
    ck_assert_int_lt(before, 7000000000000);
    ck_assert(!owner_alive(store, q.id ^ 1));
    store_close(store);
}
END_TEST

START_TEST(without_the_lock_every_owner_counts_as_alive)
{
    struct store *store = fixture_open(DB_SQLITE);
    ck_assert(owner_alive(store, store_owner_id(store) ^ 1));
    store_close(store);
}
END_TEST

struct ear {
    atomic_int heard[HINT_COUNT];
};

static void ear_on_hint(enum hint topic, void *arg)
{
    struct ear *ear = arg;
    atomic_fetch_add(&ear->heard[topic], 1);
}

START_TEST(hints_in_one_process)
{
    struct store *store = fixture_open(_i);
    struct ear ear[2] = { 0 };
    store_on_hint(store, ear_on_hint, &ear[0]);
    store_on_hint(store, ear_on_hint, &ear[1]);
    int before = atomic_load(&ear[1].heard[HINT_ROWS]);
    store_hint(store, HINT_ROWS);
    ck_assert_int_ge(atomic_load(&ear[1].heard[HINT_ROWS]), before + 1);
    ck_assert_int_ge(atomic_load(&ear[0].heard[HINT_ROWS]), 1);
    store_close(store);
}
END_TEST

/* Until the condition holds; the test's own timeout ends the wait. */
START_TEST(instances_see_each_other)
{
    char url[FIXTURE_URL_BYTES];
    fixture_url(DB_POSTGRES, url);
    struct store *a = fixture_open_url(url), *b = fixture_open_url(url);
    struct ear ear = { 0 };
    ck_assert_int_ne(store_owner_id(a), store_owner_id(b));
    store_on_hint(b, ear_on_hint, &ear);
    until(owner_alive(a, store_owner_id(b)) && owner_alive(b, store_owner_id(a))); /* both listen now */
    clock_sleep_ms(100); /* the calls "look again" after the connect */
    int before = atomic_load(&ear.heard[HINT_INBOX]), other = atomic_load(&ear.heard[HINT_OUTBOX]);
    int64_t began_ms = clock_mono_ms();
    for (int i = 0; i < 400; i++) {
        store_hint(a, HINT_INBOX);
        clock_sleep_ms(1);
    }
    until(atomic_load(&ear.heard[HINT_INBOX]) > before);
    clock_sleep_ms(200);
    int64_t most = (clock_mono_ms() - began_ms) / 50 + 2; /* one in 50 ms, however long this took */
    ck_assert_int_le(atomic_load(&ear.heard[HINT_INBOX]) - before, most);
    ck_assert_int_eq(atomic_load(&ear.heard[HINT_OUTBOX]), other);

    int64_t gone = store_owner_id(a);
    store_close(a);
    until(!owner_alive(b, gone));
    ck_assert(owner_alive(b, store_owner_id(b)));
    store_close(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store: writes");
    TCase *both = tcase_create("both databases"), *one = tcase_create("one of them");
    tcase_set_timeout(both, FIXTURE_TEST_S);
    tcase_add_loop_test(both, threads_write_and_fail, 0, 2);
    tcase_add_loop_test(both, relaxed_and_durable, 0, 2);
    tcase_add_loop_test(both, readers_see_one_snapshot, 0, 2);
    tcase_add_loop_test(both, readers_are_bounded, 0, 2);
    tcase_add_loop_test(both, a_write_inside_a_write_is_refused, 0, 2);
    tcase_add_loop_test(both, clock_and_own_id, 0, 2);
    tcase_add_loop_test(both, hints_in_one_process, 0, 2);
    tcase_set_timeout(one, FIXTURE_TEST_S);
    tcase_add_test(one, queued_writes_share_a_commit);
    tcase_add_test(one, a_lost_batch_runs_again);
    tcase_add_test(one, a_deadlock_is_resolved);
    tcase_add_test(one, without_the_lock_every_owner_counts_as_alive);
    tcase_add_test(one, instances_see_each_other);
    suite_add_tcase(suite, both);
    suite_add_tcase(suite, one);
    return fixture_main(suite, false);
}
