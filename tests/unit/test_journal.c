/* SPDX-License-Identifier: MIT
 * Undo, users, categories and open questions: each test on SQLite and on PostgreSQL, graded by rows. */
#include "base/limits.h"
#include "store/categories.h"
#include "tests/unit/tool_fixture.h"

static const char *undo(struct scene *s, int64_t turn)
{
    return plain(s, tap(s, arena_printf(s->arena, "undo:%lld", (long long)turn)));
}

/* --- undo --- */

START_TEST(undo_of_an_insert)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"a\"}");
    int64_t turn = s.last_turn;
    ck_assert_str_eq(undo(&s, turn), "↩️ Undone: added task 1");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM tasks WHERE deleted_at IS NOT NULL"), "1");
    ck_has(undo(&s, turn), "already undone");
    call(&s, "add_note", "{\"content\":\"n\"}");
    ck_has(undo(&s, s.last_turn), "saved note 1");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM notes WHERE deleted_at IS NULL"), "0");
    scene_close(&s);
}
END_TEST

START_TEST(undo_of_changes)
{
    struct scene s = scene_open(_i);
    const char *sql =
        "SELECT content || due_date || completed || COALESCE(completed_date, '-') || COALESCE(remind_at, 0)"
        " || COALESCE(reminded_at, 0) || (SELECT name FROM categories c WHERE c.id = category_id) FROM tasks"
        " WHERE deleted_at IS NULL";
    call(&s, "add_task", "{\"content\":\"a\",\"due_date\":\"2026-11-27T17:00\"}");
    const char *before = row_text(&s, sql);
    static const char *const changes[][2] = {
        { "complete_task", "{\"task_id\":1}" },
        { "delete_task", "{\"task_id\":1}" },
        { "update_task", "{\"task_id\":1,\"content\":\"b\",\"due_date\":\"2026-12-01\",\"category\":\"Work\"}" },
        { "update_task", "{\"task_id\":1,\"repeat\":\"every day\"}" },
        { "set_reminder", "{\"task_id\":1,\"when\":\"2026-11-25T10:00\"}" },
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        ck_outcome(call(&s, changes[i][0], changes[i][1]), TOOL_OK);
        ck_has(undo(&s, s.last_turn), "Undone");
        ck_assert_str_eq(row_text(&s, sql), before);
    }
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM tasks WHERE repeat IS NULL"), "1");
    scene_close(&s);
}
END_TEST

START_TEST(undo_goes_back_step_by_step)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"a\"}");
    call(&s, "update_task", "{\"task_id\":1,\"content\":\"b\"}");
    call(&s, "list_tasks", "{}");
    call(&s, "update_task", "{\"task_id\":1,\"due_date\":\"2026-11-25\"}");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM turns"), "3");
    for (int i = 0; i < 3; i++) {
        struct tool_result *r =
            tap(&s, arena_printf(s.arena, "undo:%s",
                                 row_text(&s, "SELECT MAX(inbox_id) FROM turns WHERE undone_at IS NULL")));
        ck_outcome(r, TOOL_OK);
    }
    ck_assert_str_eq(row_text(&s, "SELECT content || COALESCE(due_date, '-') FROM tasks WHERE deleted_at IS NOT NULL"),
                     "a-");
    scene_close(&s);
}
END_TEST

struct newest {
    struct scene *scene;
    int64_t user_id;
    struct undo_result out;
};
static enum status newest_write(struct db *db, void *arg, struct error *e)
{
    struct newest *n = arg;
    return journal_undo(db, n->scene->arena, n->user_id, 0, n->scene->now_ms, &n->out, e);
}

START_TEST(undo_of_the_newest)
{
    struct scene s = scene_open(_i);
    struct newest n = { .scene = &s, .user_id = 1 };
    ck_ok(store_write(s.store, newest_write, &n, e));
    ck_assert_int_eq(n.out.inbox_id, 0);
    call(&s, "add_task", "{\"content\":\"a\"}");
    call(&s, "add_task", "{\"content\":\"b\"}");
    n.user_id = 2; /* another person has nothing to undo */
    ck_ok(store_write(s.store, newest_write, &n, e));
    ck_assert_int_eq(n.out.inbox_id, 0);
    s.user.id = 2;
    ck_assert_str_eq(undo(&s, s.last_turn), "There is nothing to undo there.");
    s.user.id = 1;
    s.last_turn--; /* the tap was a turn of its own */
    n.user_id = 1;
    ck_ok(store_write(s.store, newest_write, &n, e));
    ck_assert_int_eq(n.out.inbox_id, s.last_turn);
    ck_assert_int_eq(n.out.rows, 1);
    s.now_ms += UNDO_WINDOW_MS + 1; /* the other one is too old now */
    ck_ok(store_write(s.store, newest_write, &n, e));
    ck_assert_int_eq(n.out.inbox_id, 0);
    ck_has(undo(&s, s.last_turn - 1), "more than 24 hours");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM tasks WHERE deleted_at IS NULL"), "1");
    scene_close(&s);
}
END_TEST

START_TEST(undo_leaves_later_changes_alone)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"a\",\"due_date\":\"2026-11-25\"}");
    int64_t added = s.last_turn;
    call(&s, "update_task", "{\"task_id\":1,\"content\":\"b\"}");
    int64_t renamed = s.last_turn;
    call(&s, "update_task", "{\"task_id\":1,\"due_date\":\"2026-11-28\"}");
    int64_t dated = s.last_turn;
    call(&s, "update_task", "{\"task_id\":1,\"content\":\"c\"}");
    int64_t renamed_again = s.last_turn;

    struct tool_result *r = tap(&s, arena_printf(s.arena, "undo:%lld", (long long)renamed));
    ck_outcome(r, TOOL_FAIL);
    ck_assert_str_eq(plain(&s, r), "It was changed again since (changed task 1); undo that first.");
    ck_has(undo(&s, added), "undo that first");
    ck_has(undo(&s, dated), "Undone"); /* nobody touched the date since: the new name stays */
    ck_assert_str_eq(row_text(&s, "SELECT content || due_date FROM tasks"), "c2026-11-25");
    ck_has(undo(&s, renamed_again), "Undone");
    ck_has(undo(&s, renamed), "Undone");
    ck_assert_str_eq(row_text(&s, "SELECT content || due_date FROM tasks"), "a2026-11-25");
    ck_has(undo(&s, added), "Undone");
    scene_close(&s);
}
END_TEST

START_TEST(undo_sees_a_change_back_and_forth)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"a\"}");
    call(&s, "update_task", "{\"task_id\":1,\"content\":\"b\"}");
    int64_t turn = s.last_turn;
    call(&s, "update_task", "{\"task_id\":1,\"content\":\"c\"}");
    call(&s, "update_task", "{\"task_id\":1,\"content\":\"b\"}");
    ck_has(undo(&s, turn), "undo that first"); /* the value is the same, the wish is not */
    ck_assert_str_eq(row_text(&s, "SELECT content FROM tasks"), "b");
    scene_close(&s);
}
END_TEST

START_TEST(undo_minds_what_no_turn_did)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"a\",\"due_date\":\"2026-11-27T17:00\"}");
    ck_ok(store_write(s.store, write_script, (void *)"UPDATE tasks SET reminded_at = 5", e)); /* the reminder fires */
    call(&s, "update_task", "{\"task_id\":1,\"due_date\":\"2026-11-28T17:00\"}");
    ck_assert_str_eq(row_text(&s, "SELECT reminded_at FROM tasks"), "(null)");
    ck_ok(store_write(s.store, write_script, (void *)"UPDATE tasks SET reminded_at = 7", e)); /* and the new one */
    ck_has(undo(&s, s.last_turn), "Undone");
    ck_assert_str_eq(row_text(&s, "SELECT reminded_at FROM tasks"), "5");
    call(&s, "update_task", "{\"task_id\":1,\"content\":\"b\"}");
    ck_ok(store_write(s.store, write_script, (void *)"UPDATE tasks SET content = 'imported'", e));
    ck_has(undo(&s, s.last_turn), "It was changed again since");
    ck_assert_str_eq(row_text(&s, "SELECT content FROM tasks"), "imported");
    scene_close(&s);
}
END_TEST

/* --- the journal itself --- */

struct sleep_arg {
    struct scene *scene;
    int64_t old_id, new_id;
    double hours;
};

/* A night that replaces the one there is: the old row goes, a new one comes. */
static enum status sleep_replace(struct db *db, void *arg, struct error *e)
{
    struct sleep_arg *a = arg;
    struct journal j = { .db = db, .inbox_id = a->scene->inbox_id, .user_id = 1, .now_ms = a->scene->now_ms };
    bool found;
    enum status st = OK;
    if (a->old_id)
        st = journal_changing(&j, "sleep_logs", a->old_id, e);
    if (!st && a->old_id)
        st = db_run(db, e, "UPDATE sleep_logs SET deleted_at = 1 WHERE id = $1", p_int(a->old_id));
    if (!st)
        st = db_get_int(db, &a->new_id, &found, e,
                        "INSERT INTO sleep_logs (user_id, date, hours, created_date) VALUES (1, '2026-11-20', $1, 'x')"
                        " RETURNING id",
                        p_real(a->hours));
    if (!st)
        st = journal_inserted(&j, "sleep_logs", a->new_id, e);
    return st ? st : journal_close(&j, e);
}

START_TEST(undo_of_a_replacement)
{
    struct scene s = scene_open(_i);
    struct sleep_arg first = { .scene = &s, .hours = 7 }, second = { .scene = &s, .hours = 7.1 };
    s.inbox_id = 1;
    ck_ok(store_write(s.store, sleep_replace, &first, e));
    second.old_id = first.new_id;
    s.inbox_id = 2;
    ck_ok(store_write(s.store, sleep_replace, &second, e));
    s.inbox_id = 100;
    ck_has(undo(&s, 1), "undo that first");
    ck_has(undo(&s, 2), "Undone: your last change");
    ck_assert_str_eq(row_text(&s, "SELECT id FROM sleep_logs WHERE deleted_at IS NULL"), "1");
    ck_has(undo(&s, 1), "Undone");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM sleep_logs WHERE deleted_at IS NULL"), "0");
    scene_close(&s);
}
END_TEST

static enum status sleep_delete(struct db *db, void *arg, struct error *e)
{
    struct sleep_arg *a = arg;
    struct journal j = { .db = db, .inbox_id = a->scene->inbox_id, .user_id = 1, .now_ms = a->scene->now_ms };
    enum status st = journal_changing(&j, "sleep_logs", a->old_id, e);
    if (!st)
        st = db_run(db, e, "UPDATE sleep_logs SET deleted_at = 1 WHERE id = $1", p_int(a->old_id));
    return st ? st : journal_close(&j, e);
}

START_TEST(undo_does_not_take_a_taken_place)
{
    struct scene s = scene_open(_i);
    struct sleep_arg first = { .scene = &s, .hours = 7 }, third = { .scene = &s, .hours = 8 };
    s.inbox_id = 1;
    ck_ok(store_write(s.store, sleep_replace, &first, e));
    first.old_id = first.new_id;
    s.inbox_id = 2;
    ck_ok(store_write(s.store, sleep_delete, &first, e));
    s.inbox_id = 3;
    ck_ok(store_write(s.store, sleep_replace, &third, e));
    s.inbox_id = 100;
    ck_has(undo(&s, 2), "Another entry has taken its place");
    ck_assert_str_eq(row_text(&s, "SELECT hours FROM sleep_logs WHERE deleted_at IS NULL"),
                     _i == DB_SQLITE ? "8.0" : "8");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM turns WHERE undone_at IS NOT NULL"), "0");
    ck_has(undo(&s, 3), "Undone");
    ck_has(undo(&s, 2), "Undone");
    scene_close(&s);
}
END_TEST

static enum status many_rounds(struct db *db, void *arg, struct error *e)
{
    struct scene *s = arg;
    for (int round = 0; round < 3; round++) {
        struct buf summary = BUF_INIT(256);
        struct journal j = { .db = db, .inbox_id = 500, .user_id = 1, .now_ms = s->now_ms, .summary = &summary };
        enum status st = journal_changing(&j, "tasks", 1, e);
        if (!st)
            st = db_run(db, e, "UPDATE tasks SET content = content || 'x', due_date = $1 WHERE id = 1",
                        p_text(round == 1 ? "2026-12-01" : "2026-12-02"));
        if (!st)
            st = journal_changing(&j, "tasks", 1, e); /* twice in one round: one entry */
        if (!st)
            st = db_run(db, e, "UPDATE tasks SET content = content || 'y' WHERE id = 1");
        journal_note(&j, "round %d", round);
        if (!st)
            st = journal_close(&j, e);
        buf_release(&summary);
        if (st)
            return st;
    }
    return OK;
}

START_TEST(several_rounds_are_one_step)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"a\",\"due_date\":\"2026-11-30\"}");
    ck_ok(store_write(s.store, many_rounds, &s, e));
    ck_assert_str_eq(row_text(&s, "SELECT content || due_date FROM tasks"), "axyxyxy2026-12-02");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM journal WHERE inbox_id = 500"), "3");
    ck_has(undo(&s, 500), "round 0, round 1, round 2");
    ck_assert_str_eq(row_text(&s, "SELECT content || due_date FROM tasks"), "a2026-11-30");
    scene_close(&s);
}
END_TEST

static enum status refused_tables(struct db *db, void *arg, struct error *e)
{
    struct scene *s = arg;
    struct error why;
    struct journal j = { .db = db, .inbox_id = 5, .user_id = 1, .now_ms = s->now_ms };
    ck_assert_int_eq(journal_inserted(&j, "inbox", 1, &why), ST_INTERNAL);
    ck_assert_int_eq(journal_changing(&j, "tasks; --", 1, &why), ST_INTERNAL);
    ck_assert_int_eq(journal_changing(&j, "tasks", 77, &why), ST_NOT_FOUND);
    j.user_id = 2; /* task 1 is another person's */
    ck_assert_int_eq(journal_changing(&j, "tasks", 1, &why), ST_NOT_FOUND);
    j.user_id = 1;
    ck_assert_int_eq(journal_changing(&j, "tasks", 1, &why), OK);
    return journal_close(&j, e); /* nothing differs: no entry, no turn */
}

START_TEST(only_real_changes_are_kept)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"a\"}");
    ck_ok(store_write(s.store, refused_tables, &s, e));
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM journal WHERE inbox_id = 5"), "0");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM turns WHERE inbox_id = 5"), "0");
    scene_close(&s);
}
END_TEST

static enum status zone_change(struct db *db, void *arg, struct error *e)
{
    struct scene *s = arg;
    struct user u;
    struct journal j = { .db = db, .inbox_id = 5, .user_id = 1, .now_ms = s->now_ms };
    enum status st = user_owner(db, s->arena, "UTC", &u, e);
    if (!st)
        st = journal_changing(&j, "users", 1, e);
    if (!st)
        st = user_set_zone(db, 1, "Asia/Tokyo", e);
    return st ? st : journal_close(&j, e);
}

START_TEST(a_zone_can_be_undone)
{
    struct scene s = scene_open(_i);
    ck_ok(store_write(s.store, zone_change, &s, e));
    ck_assert_str_eq(row_text(&s, "SELECT zone FROM users WHERE id = 1"), "Asia/Tokyo");
    ck_has(undo(&s, 5), "Undone");
    ck_assert_str_eq(row_text(&s, "SELECT zone FROM users WHERE id = 1"), "");
    scene_close(&s);
}
END_TEST

/* --- users --- */

struct who {
    struct scene *scene;
    int64_t telegram_id; /* 0 = the console's owner */
    bool owner;
    struct user user;
};

static enum status who_write(struct db *db, void *arg, struct error *e)
{
    struct who *w = arg;
    return w->telegram_id ? user_of_telegram(db, w->scene->arena, w->telegram_id, w->owner, "Europe/Rome", &w->user, e)
                          : user_owner(db, w->scene->arena, "Europe/Rome", &w->user, e);
}

static struct user who(struct scene *s, int64_t telegram_id, bool owner)
{
    struct who w = { .scene = s, .telegram_id = telegram_id, .owner = owner };
    ck_ok(store_write(s->store, who_write, &w, e));
    return w.user;
}

START_TEST(the_owner_row_is_the_owners)
{
    struct scene s = scene_open(_i);
    int64_t guest = who(&s, 555, false).id; /* a guest comes first, and still does not get row 1 */
    ck_assert_int_gt(guest, 1);
    ck_assert_int_eq(who(&s, 0, true).id, 1);
    ck_assert_int_eq(who(&s, 42, true).id, 1); /* the owner's Telegram adopts what the console wrote */
    ck_assert_int_eq(who(&s, 42, true).id, 1);
    ck_assert_int_eq(who(&s, 0, true).telegram_id, 42);
    ck_assert_int_eq(who(&s, 555, false).id, guest);
    int64_t other = who(&s, 43, true).id; /* a second owner does not take over */
    ck_assert_int_ne(other, 1);
    ck_assert_int_ne(other, guest);
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM users"), "3");
    ck_assert_str_eq(who(&s, 42, true).zone, "Europe/Rome");
    scene_close(&s);
}
END_TEST

static enum status touch_write(struct db *db, void *arg, struct error *e)
{
    struct who *w = arg;
    struct user again;
    bool first = false;
    enum status st = user_touch(db, &w->user, "Ada", "de", 99, e);
    if (!st)
        st = user_set_zone(db, w->user.id, "Europe/Berlin", e);
    if (!st)
        st = user_by_id(db, w->scene->arena, w->user.id, "UTC", &w->user, e);
    if (!st)
        st = user_touch(db, &w->user, NULL, NULL, 0, e); /* nothing new: nothing lost */
    if (!st)
        st = user_by_id(db, w->scene->arena, w->user.id, "UTC", &again, e);
    if (!st)
        ck_assert_int_eq(again.private_chat_id, 99);
    ck_assert_int_eq(user_by_id(db, w->scene->arena, 4711, "UTC", &again, e), ST_NOT_FOUND);
    ck_assert_int_eq(user_set_zone(db, 4711, "UTC", e), ST_NOT_FOUND);
    if (!st)
        st = stranger_first(db, 666, 1, &first, e);
    ck_assert(first);
    if (!st)
        st = stranger_first(db, 666, 2, &first, e);
    ck_assert(!first);
    return st;
}

START_TEST(users_are_remembered)
{
    struct scene s = scene_open(_i);
    struct who w = { .scene = &s, .user = who(&s, 42, true) };
    ck_ok(store_write(s.store, touch_write, &w, e));
    ck_assert_str_eq(w.user.name, "Ada");
    ck_assert_str_eq(w.user.language, "de");
    ck_assert_str_eq(w.user.zone, "Europe/Berlin");
    ck_assert_int_eq(w.user.private_chat_id, 99);
    scene_close(&s);
}
END_TEST

/* --- categories and questions of two people --- */

static enum status category_write(struct db *db, void *arg, struct error *e)
{
    struct scene *s = arg;
    struct category mine, yours, got;
    struct category *list;
    int count;
    bool found;
    enum status st = category_ensure(db, s->arena, 1, "Work/Projects", 1, &mine, e);
    ck_assert_int_eq(st, OK);
    ck_assert_int_eq(category_find(db, s->arena, 2, "projects", &got, &found, e), OK);
    ck_assert(!found);
    ck_assert_int_eq(category_by_id(db, s->arena, 2, mine.id, &got, &found, e), OK);
    ck_assert(!found);
    ck_assert_int_eq(category_ensure(db, s->arena, 2, "work/PROJECTS", 1, &yours, e), OK);
    ck_assert_int_ne(mine.id, yours.id);
    ck_assert_int_ne(mine.parent_id, yours.parent_id);
    ck_assert_int_eq(category_list(db, s->arena, 2, &list, &count, e), OK);
    ck_assert_int_eq(count, 2);
    ck_assert_str_eq(list[1].path, "work/PROJECTS");
    ck_assert_int_eq(category_ensure(db, s->arena, 1, NULL, 1, &got, e), OK);
    ck_assert_str_eq(got.path, "General");
    char name[CATEGORY_NAME_BYTES_MAX + 2];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_int_eq(category_ensure(db, s->arena, 1, name, 1, &got, e), ST_INVALID);
    return OK;
}

START_TEST(categories_are_a_persons_own)
{
    struct scene s = scene_open(_i);
    ck_ok(store_write(s.store, category_write, &s, e));
    scene_close(&s);
}
END_TEST

static enum status pending_write(struct db *db, void *arg, struct error *e)
{
    struct scene *s = arg;
    struct pending_key mine = { "telegram", 7, 1 }, yours = { "telegram", 7, 2 };
    struct pending p;
    bool found;
    ck_assert_int_eq(pending_put(db, &mine, "a", "{}", 1000, e), OK);
    ck_assert_int_eq(pending_put(db, &mine, "b", "{\"x\":1}", 2000, e), OK); /* a new question replaces the old */
    ck_assert_int_eq(pending_get(db, s->arena, &yours, 500, &p, &found, e), OK);
    ck_assert(!found);
    ck_assert_int_eq(pending_get(db, s->arena, &mine, 1999, &p, &found, e), OK);
    ck_assert(found && !strcmp(p.kind, "b") && !strcmp(p.payload, "{\"x\":1}"));
    ck_assert_int_eq(pending_get(db, s->arena, &mine, 2000, &p, &found, e), OK);
    ck_assert(!found);
    ck_assert_int_eq(pending_clear(db, &yours, e), OK);
    ck_assert_int_eq(pending_get(db, s->arena, &mine, 1, &p, &found, e), OK);
    ck_assert(found);
    ck_assert_int_eq(pending_clear(db, &mine, e), OK);
    ck_assert_int_eq(pending_get(db, s->arena, &mine, 1, &p, &found, e), OK);
    ck_assert(!found);
    return OK;
}

START_TEST(questions_are_a_persons_own)
{
    struct scene s = scene_open(_i);
    ck_ok(store_write(s.store, pending_write, &s, e));
    scene_close(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *t = tcase_create("journal");
    tcase_set_timeout(t, FIXTURE_TEST_S);
    tcase_add_loop_test(t, undo_of_an_insert, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, undo_of_changes, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, undo_goes_back_step_by_step, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, undo_of_the_newest, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, undo_leaves_later_changes_alone, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, undo_sees_a_change_back_and_forth, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, undo_minds_what_no_turn_did, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, undo_of_a_replacement, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, undo_does_not_take_a_taken_place, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, several_rounds_are_one_step, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, only_real_changes_are_kept, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, a_zone_can_be_undone, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, the_owner_row_is_the_owners, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, users_are_remembered, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, categories_are_a_persons_own, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, questions_are_a_persons_own, DB_SQLITE, DB_POSTGRES + 1);
    suite_add_tcase(suite, t);
    return fixture_main(suite, false);
}
