/* SPDX-License-Identifier: MIT
 * Tasks, notes, reminders, taps: each test on SQLite and on PostgreSQL, graded by rows and by what the person reads. */
#include "tests/unit/tool_fixture.h"

/* --- adding --- */

START_TEST(add_confirms_from_the_row)
{
    struct scene s = scene_open(_i);
    struct tool_result *r = call(&s, "add_task", "{\"content\":\"Buy bread\",\"due_date\":\"tomorrow\"}");
    ck_outcome(r, TOOL_OK);
    ck_assert_str_eq(plain(&s, r), "✓ Task added to General\nBuy bread\nDue: Sat 2026-11-21 (tomorrow)\nID 1");
    ck_assert(strncmp(buf_str(&tool_reply(r)->html), "<b>✓ Task added to General</b>\n", 30) == 0);
    ck_assert(has_button(r, "done:1") && has_button(r, "date:1"));
    ck_assert_int_eq(id_of(r, "task.id"), 1);
    ck_assert_str_eq(json_str(tool_data(r), "task.due_date", ""), "2026-11-21");
    ck_assert_str_eq(row_text(&s,
                              "SELECT content || '|' || due_date || '|' || completed || '|' || created_date || '|' ||"
                              " channel || '|' || chat_id || '|' || COALESCE(remind_at, 0) FROM tasks"),
                     "Buy bread|2026-11-21|0|2026-11-20T08:14:00Z|telegram|7|0");
    scene_close(&s);
}
END_TEST

START_TEST(text_is_escaped)
{
    struct scene s = scene_open(_i);
    struct tool_result *r = call(&s, "add_task", "{\"content\":\"a <b> & c\"}");
    ck_has(buf_str(&tool_reply(r)->html), "a &lt;b&gt; &amp; c");
    r = call(&s, "list_tasks", "{}");
    ck_has(buf_str(&tool_reply(r)->html), "a &lt;b&gt; &amp; c");
    scene_close(&s);
}
END_TEST

START_TEST(categories_are_matched_and_made)
{
    struct scene s = scene_open(_i);
    ck_has(plain(&s, call(&s, "add_task", "{\"content\":\"a\",\"category\":\"Work/Projects\"}")),
           "added to Work/Projects");
    ck_has(plain(&s, call(&s, "add_task", "{\"content\":\"b\",\"category\":\"WORK > projects\"}")),
           "added to Work/Projects");
    ck_has(plain(&s, call(&s, "add_task", "{\"content\":\"c\",\"category\":\"projects\"}")), "added to Work/Projects");
    ck_has(plain(&s, call(&s, "add_task", "{\"content\":\"d\",\"category\":\" #work \"}")), "added to Work\n");
    ck_has(plain(&s, call(&s, "add_note", "{\"content\":\"n\",\"category\":\"general\"}")), "saved in general");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM categories"), "3");
    ck_assert_str_eq(row_text(&s, "SELECT p.name FROM categories c JOIN categories p ON p.id = c.parent_id"
                                  " WHERE c.name = 'Projects'"),
                     "Work");
    ck_outcome(call(&s, "add_task", "{\"content\":\"e\",\"category\":\"a/b/c/d\"}"), TOOL_FAIL);
    ck_outcome(call(&s, "add_task", "{\"content\":\"e\",\"category\":\"///\"}"), TOOL_FAIL);
    ck_has(plain(&s, call(&s, "list_tasks", "{\"category\":\"work\"}")), "4 open tasks in Work");
    ck_has(plain(&s, call(&s, "list_tasks", "{\"category\":\"projects\"}")), "3 open tasks in Work/Projects");
    ck_outcome(call(&s, "list_tasks", "{\"category\":\"garden\"}"), TOOL_FAIL);
    scene_close(&s);
}
END_TEST

START_TEST(categories_are_bounded)
{
    struct scene s = scene_open(_i);
    ck_ok(store_write(
        s.store, write_script,
        (void *)(_i == DB_SQLITE
                     ? "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT"
                       " INTO categories (user_id, name, name_key, created_at)"
                       " SELECT 1, 'c' || i, 'c' || i, 0 FROM n"
                     : "INSERT INTO categories (user_id, name, name_key, created_at)"
                       " SELECT 1, 'c' || i, 'c' || i, 0 FROM generate_series(1, 200) i"),
        e));
    struct tool_result *r = call(&s, "add_task", "{\"content\":\"x\",\"category\":\"one more\"}");
    ck_outcome(r, TOOL_FAIL);
    ck_has(plain(&s, r), "200 categories");
    ck_outcome(call(&s, "add_task", "{\"content\":\"x\",\"category\":\"C77\"}"), TOOL_OK);
    scene_close(&s);
}
END_TEST

/* --- reminders --- */

START_TEST(a_time_brings_a_reminder)
{
    struct scene s = scene_open(_i);
    struct tool_result *r = call(&s, "add_task", "{\"content\":\"Call mom\",\"due_date\":\"2026-11-27T17:00\"}");
    ck_has(plain(&s, r), "⏰ I will remind you then");
    ck_assert_str_eq(row_text(&s, "SELECT remind_at FROM tasks WHERE id = 1"), "1795795200000"); /* 16:00 UTC */
    call(&s, "add_task", "{\"content\":\"b\",\"due_date\":\"2026-11-27T17:00\",\"remind\":false}");
    ck_assert_str_eq(row_text(&s, "SELECT remind_at FROM tasks WHERE id = 2"), "(null)");
    call(&s, "add_task", "{\"content\":\"c\",\"due_date\":\"2026-11-27\",\"remind\":true}");
    ck_assert_str_eq(row_text(&s, "SELECT remind_at FROM tasks WHERE id = 3"), "1795766400000"); /* 09:00 in Berlin */
    ck_outcome(call(&s, "add_task", "{\"content\":\"d\",\"remind\":true}"), TOOL_ASK);
    r = call(&s, "add_task", "{\"content\":\"e\",\"due_date\":\"2026-11-20T08:00\"}");
    ck_has(plain(&s, r), "in the past");
    ck_assert_str_eq(row_text(&s, "SELECT remind_at FROM tasks WHERE content = 'e'"), "(null)");
    scene_close(&s);
}
END_TEST

START_TEST(the_reminder_follows_the_date)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"a\",\"due_date\":\"2026-11-27T17:00\"}");
    ck_ok(store_write(s.store, write_script, (void *)"UPDATE tasks SET reminded_at = 5", e));
    call(&s, "update_task", "{\"task_id\":1,\"due_date\":\"2026-11-28T18:30\"}");
    ck_assert_str_eq(row_text(&s, "SELECT due_date || ' ' || remind_at || ' ' || COALESCE(reminded_at, 0) FROM tasks"),
                     "2026-11-28T18:30 1795887000000 0");
    call(&s, "set_reminder", "{\"task_id\":1,\"when\":\"2026-11-27T09:00\"}");
    ck_assert_str_eq(row_text(&s, "SELECT due_date || ' ' || remind_at FROM tasks"), "2026-11-28T18:30 1795766400000");
    call(&s, "update_task", "{\"task_id\":1,\"due_date\":\"2026-11-30\"}"); /* two days on, at its own hour */
    ck_assert_str_eq(row_text(&s, "SELECT due_date || ' ' || remind_at FROM tasks"), "2026-11-30 1795939200000");
    call(&s, "update_task", "{\"task_id\":1,\"due_date\":\"none\"}");
    ck_assert_str_eq(row_text(&s, "SELECT COALESCE(due_date, '-') || ' ' || COALESCE(remind_at, 0) FROM tasks"), "- 0");
    scene_close(&s);
}
END_TEST

START_TEST(set_reminder_finds_or_makes)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"Call mom about the trip\"}");
    struct tool_result *r = call(&s, "set_reminder", "{\"content\":\"call mom\",\"when\":\"2026-11-20T17:00\"}");
    ck_has(plain(&s, r), "✓ Task added to General\ncall mom\nDue: Fri 2026-11-20 17:00");
    r = call(&s, "set_reminder", "{\"content\":\"call mom ABOUT the trip\",\"when\":\"2026-11-23\"}");
    ck_has(plain(&s, r), "✓ Reminder set\nCall mom about the trip\nDue: Mon 2026-11-23");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM tasks"), "2");
    ck_outcome(call(&s, "set_reminder", "{\"content\":\"x\",\"when\":\"2026-11-19T10:00\"}"), TOOL_ASK);
    ck_outcome(call(&s, "set_reminder", "{\"when\":\"2026-11-29T10:00\"}"), TOOL_ASK);
    ck_outcome(call(&s, "set_reminder", "{\"task_id\":99,\"when\":\"2026-11-29T10:00\"}"), TOOL_FAIL);
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM tasks"), "2");
    scene_close(&s);
}
END_TEST

/* In the hour that comes twice, later means later. */
START_TEST(a_snooze_in_the_repeated_hour)
{
    struct scene s = scene_open(_i);
    scene_at(&s, "2026-10-25T02:20"); /* 00:20 UTC, the first time */
    call(&s, "add_task", "{\"content\":\"a\",\"due_date\":\"2026-10-26\"}");
    tap(&s, "snooze:1:60");
    ck_assert_str_eq(row_text(&s, "SELECT remind_at FROM tasks"), "1792891200000"); /* 01:20 UTC: 02:20 again */
    s.now_ms += 3600000;
    call(&s, "set_reminder", "{\"task_id\":1,\"when\":\"2026-10-25T02:50\"}");
    ck_assert_str_eq(row_text(&s, "SELECT remind_at FROM tasks"), "1792893000000"); /* 01:50 UTC */
    tap(&s, "snooze:1:60");
    ck_assert_str_eq(row_text(&s, "SELECT remind_at FROM tasks"), "1792894800000"); /* 02:20 UTC: 03:20 */
    scene_close(&s);
}
END_TEST

/* --- repeats --- */

START_TEST(a_repeating_task_moves_on)
{
    struct scene s = scene_open(_i);
    struct tool_result *r = call(&s, "add_task", "{\"content\":\"Water plants\",\"repeat\":\"every tuesday\"}");
    ck_has(plain(&s, r), "Due: Tue 2026-11-24");
    ck_has(plain(&s, r), "🔁 every Tuesday");
    r = call(&s, "complete_task", "{\"task_id\":1}");
    ck_has(plain(&s, r), "✓ Done: Water plants\n🔁 Next: Tue 2026-12-01");
    ck_assert_str_eq(row_text(&s, "SELECT due_date || completed FROM tasks"), "2026-12-010");
    scene_at(&s, "2026-12-20T10:00"); /* long overdue: the next one to come, not the next in line */
    call(&s, "complete_task", "{\"task_id\":1}");
    ck_assert_str_eq(row_text(&s, "SELECT due_date FROM tasks"), "2026-12-22");
    call(&s, "update_task", "{\"task_id\":1,\"repeat\":\"none\"}");
    r = call(&s, "complete_task", "{\"task_id\":1}");
    ck_lacks(plain(&s, r), "Next");
    ck_assert_str_eq(row_text(&s, "SELECT completed FROM tasks"), "1");
    scene_close(&s);
}
END_TEST

START_TEST(a_repeat_moves_its_reminder)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"Pills\",\"due_date\":\"every day at 8:00\"}");
    ck_assert_str_eq(row_text(&s, "SELECT due_date || ' ' || repeat FROM tasks"), "2026-11-21T08:00 FREQ=DAILY");
    ck_ok(store_write(s.store, write_script, (void *)"UPDATE tasks SET reminded_at = remind_at", e));
    scene_at(&s, "2026-11-21T08:05");
    call(&s, "complete_task", "{\"content\":\"pills\"}");
    ck_assert_str_eq(row_text(&s, "SELECT due_date || ' ' || remind_at || ' ' || COALESCE(reminded_at, 0) FROM tasks"),
                     "2026-11-22T08:00 1795330800000 0");
    scene_close(&s);
}
END_TEST

START_TEST(a_bare_rule_gets_its_first_date)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"a\",\"repeat\":\"FREQ=WEEKLY;BYDAY=MO\"}");
    ck_assert_str_eq(row_text(&s, "SELECT due_date FROM tasks"), "2026-11-23");
    scene_close(&s);
}
END_TEST

/* --- by words --- */

START_TEST(words_find_the_task)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"Buy bread\"}");
    call(&s, "add_task", "{\"content\":\"Buy butter\",\"due_date\":\"tomorrow\"}");
    struct tool_result *r = call(&s, "complete_task", "{\"content\":\"buy\"}");
    ck_outcome(r, TOOL_ASK);
    ck_has(plain(&s, r), "2 tasks match “buy”");
    ck_assert(has_button(r, "done:1") && has_button(r, "done:2"));
    ck_assert_str_eq(row_text(&s, "SELECT SUM(completed) FROM tasks"), "0");
    r = call(&s, "complete_task", "{\"content\":\"bred\"}");
    ck_outcome(r, TOOL_FAIL);
    ck_has(plain(&s, r), "Did you mean 1 “Buy bread”");
    ck_outcome(call(&s, "complete_task", "{\"content\":\"zebra\"}"), TOOL_FAIL);
    r = call(&s, "complete_task", "{\"content\":\"the bread\"}");
    ck_assert_str_eq(plain(&s, r), "✓ Done: Buy bread\nID 1");
    ck_assert_str_eq(row_text(&s, "SELECT completed_date FROM tasks WHERE id = 1"), "2026-11-20T08:14:00Z");
    r = call(&s, "complete_task", "{\"content\":\"bread\"}");
    ck_outcome(r, TOOL_FAIL);
    ck_has(plain(&s, r), "already done");
    ck_outcome(call(&s, "complete_task", "{\"content\":\"#2\"}"), TOOL_OK);
    ck_outcome(call(&s, "complete_task", "{\"task_id\":2}"), TOOL_FAIL);
    ck_outcome(call(&s, "complete_task", "{}"), TOOL_FAIL); /* nothing is open */
    scene_close(&s);
}
END_TEST

START_TEST(exact_words_win)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"Bread\"}");
    call(&s, "add_task", "{\"content\":\"Bread for Sunday\"}");
    ck_has(plain(&s, call(&s, "complete_task", "{\"content\":\"bread\"}")), "ID 1");
    ck_outcome(call(&s, "complete_task", "{}"), TOOL_ASK);
    scene_close(&s);
}
END_TEST

/* The button for row id of the question that was just asked. */
static const char *pick(struct scene *s, int id)
{
    return arena_printf(s->arena, "pick:%d:%lld", id, (long long)s->last_turn);
}

START_TEST(a_pick_finishes_an_update)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"Buy bread\"}");
    call(&s, "add_task", "{\"content\":\"Buy butter\"}");
    struct tool_result *r =
        call(&s, "update_task", "{\"content\":\"buy\",\"due_date\":\"tomorrow\",\"new_content\":\"Get it\"}");
    ck_outcome(r, TOOL_ASK);
    const char *first = pick(&s, 1), *second = pick(&s, 2);
    ck_assert(has_button(r, second));
    scene_at(&s, "2026-11-20T09:20");
    ck_outcome(tap(&s, "pick:2:1"), TOOL_FAIL); /* a button of an older question */
    r = tap(&s, second);
    ck_outcome(r, TOOL_OK);
    ck_assert_str_eq(row_text(&s, "SELECT content || ' ' || due_date FROM tasks WHERE id = 2"), "Get it 2026-11-21");
    ck_assert_str_eq(row_text(&s, "SELECT content FROM tasks WHERE id = 1"), "Buy bread");
    ck_outcome(tap(&s, first), TOOL_FAIL); /* asked and answered */
    call(&s, "add_task", "{\"content\":\"Buy milk\"}");
    ck_outcome(call(&s, "update_task", "{\"content\":\"buy\",\"due_date\":\"tomorrow\"}"), TOOL_ASK);
    first = pick(&s, 1);
    scene_at(&s, "2026-11-20T10:20");
    ck_outcome(tap(&s, first), TOOL_FAIL); /* too late */
    scene_close(&s);
}
END_TEST

/* --- updating --- */

START_TEST(update_changes_what_is_named)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"Buy bread\",\"due_date\":\"2026-11-25\",\"category\":\"Food\"}");
    ck_has(plain(&s, call(&s, "update_task", "{\"task_id\":1,\"content\":\"Buy rye bread\"}")),
           "✓ Task updated\nBuy rye bread");
    call(&s, "update_task", "{\"content\":\"rye\",\"category\":\"Shopping\"}");
    ck_assert_str_eq(row_text(&s, "SELECT t.content || ' ' || t.due_date || ' ' || c.name FROM tasks t"
                                  " JOIN categories c ON c.id = t.category_id"),
                     "Buy rye bread 2026-11-25 Shopping");
    ck_has(plain(&s, call(&s, "update_task", "{\"task_id\":1,\"due_date\":\"2026-11-25\"}")), "unchanged");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM turns"), "3");
    ck_outcome(call(&s, "update_task", "{\"task_id\":1}"), TOOL_FAIL);
    ck_outcome(call(&s, "update_task", "{\"task_id\":9,\"due_date\":\"tomorrow\"}"), TOOL_FAIL);
    call(&s, "complete_task", "{\"task_id\":1}");
    ck_outcome(call(&s, "update_task", "{\"content\":\"rye\",\"due_date\":\"tomorrow\"}"), TOOL_FAIL);
    ck_has(plain(&s, call(&s, "update_task", "{\"content\":\"rye\",\"reopen\":true}")), "✓ Task reopened");
    ck_assert_str_eq(row_text(&s, "SELECT completed || COALESCE(completed_date, '-') FROM tasks"), "0-");
    ck_outcome(call(&s, "update_task", "{\"task_id\":1,\"due_date\":\"none\",\"remind\":true}"), TOOL_ASK);
    call(&s, "update_task", "{\"task_id\":1,\"due_date\":\"2026-11-20T10:00\"}");
    call(&s, "complete_task", "{\"task_id\":1}");
    scene_at(&s, "2026-11-20T11:00");
    call(&s, "update_task", "{\"task_id\":1,\"reopen\":true}");
    ck_assert_str_eq(row_text(&s, "SELECT COALESCE(remind_at, 0) FROM tasks"), "0"); /* nothing fires afterwards */
    scene_close(&s);
}
END_TEST

/* --- deleting --- */

START_TEST(delete_is_soft_and_all_needs_a_tap)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"Buy bread\"}");
    ck_assert_str_eq(plain(&s, call(&s, "delete_task", "{\"content\":\"bread\"}")),
                     "🗑 Task deleted\nBuy bread\nID 1");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM tasks WHERE deleted_at IS NOT NULL"), "1");
    ck_outcome(call(&s, "delete_task", "{\"task_id\":1}"), TOOL_FAIL);
    ck_outcome(call(&s, "complete_task", "{\"task_id\":1}"), TOOL_FAIL);
    for (int i = 0; i < 3; i++)
        call(&s, "add_task", i ? "{\"content\":\"x\",\"category\":\"Work\"}" : "{\"content\":\"x\"}");
    struct tool_result *r = call(&s, "delete_task", "{\"all\":true}");
    ck_outcome(r, TOOL_ASK);
    ck_assert_str_eq(plain(&s, r), "Delete all 3 open tasks?");
    ck_assert(has_button(r, "delall:0:3") && has_button(r, "keep"));
    ck_outcome(tap(&s, "keep"), TOOL_OK);
    call(&s, "add_task", "{\"content\":\"y\"}");
    r = tap(&s, "delall:0:3"); /* the list has grown: ask again */
    ck_outcome(r, TOOL_ASK);
    ck_assert(has_button(r, "delall:0:4"));
    r = call(&s, "delete_task", "{\"all\":true,\"category\":\"work\"}");
    const char *data = tool_reply(r)->buttons[0].data;
    ck_outcome(tap(&s, data), TOOL_OK);
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM tasks WHERE deleted_at IS NULL"), "2");
    r = tap(&s, "delall:0:2");
    ck_has(plain(&s, r), "2 open tasks deleted");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM tasks WHERE deleted_at IS NULL"), "0");
    ck_outcome(tap(&s, arena_printf(s.arena, "undo:%lld", (long long)s.last_turn)), TOOL_OK);
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM tasks WHERE deleted_at IS NULL"), "2");
    scene_close(&s);
}
END_TEST

/* --- listing --- */

START_TEST(lists_are_grouped_and_bounded)
{
    struct scene s = scene_open(_i);
    ck_has(plain(&s, call(&s, "list_tasks", "{}")), "No open tasks.");
    call(&s, "add_task", "{\"content\":\"undated\"}");
    call(&s, "add_task", "{\"content\":\"later\",\"due_date\":\"2026-12-24\"}");
    call(&s, "add_task", "{\"content\":\"today\",\"due_date\":\"2026-11-20\"}");
    call(&s, "add_task", "{\"content\":\"this morning\",\"due_date\":\"2026-11-20T08:00\"}");
    call(&s, "add_task", "{\"content\":\"tomorrow\",\"due_date\":\"2026-11-21T10:00\"}");
    call(&s, "add_task", "{\"content\":\"finished\"}");
    call(&s, "complete_task", "{\"content\":\"finished\"}");
    struct tool_result *r = call(&s, "list_tasks", "{}");
    ck_assert_str_eq(plain(&s, r), "5 open tasks\n\n"
                                   "Overdue\n4 · this morning · Fri 20 Nov 08:00\n\n"
                                   "Today\n3 · today · Fri 20 Nov\n\n"
                                   "Tomorrow\n5 · tomorrow · Sat 21 Nov 10:00\n\n"
                                   "Later\n2 · later · Thu 24 Dec\n\n"
                                   "No date\n1 · undated\n");
    ck_assert(has_button(r, "done:3") && !has_button(r, "done:6"));
    ck_has(plain(&s, call(&s, "list_tasks", "{\"limit\":2}")), "… and 3 more");
    ck_has(plain(&s, call(&s, "list_tasks", "{\"status\":\"done\"}")), "✓ 6 · finished");
    ck_assert_int_eq(id_of(call(&s, "list_tasks", "{\"status\":\"all\"}"), "total"), 6);
    ck_assert_int_eq(id_of(call(&s, "list_tasks", "{\"due\":\"today\"}"), "total"), 2);
    ck_assert_int_eq(id_of(call(&s, "list_tasks", "{\"due\":\"overdue\"}"), "total"), 1);
    ck_assert_int_eq(id_of(call(&s, "list_tasks", "{\"due\":\"tomorrow\"}"), "total"), 1);
    ck_assert_int_eq(id_of(call(&s, "list_tasks", "{\"due\":\"week\"}"), "total"), 3);
    ck_assert_int_eq(id_of(call(&s, "list_tasks", "{\"due\":\"none\"}"), "total"), 1);
    ck_assert_int_eq(id_of(call(&s, "list_tasks", "{\"due\":\"2026-12-24\"}"), "total"), 1);
    ck_assert_int_eq(id_of(call(&s, "list_tasks", "{\"query\":\"LATER\"}"), "total"), 1);
    ck_outcome(call(&s, "list_tasks", "{\"due\":\"blue\"}"), TOOL_FAIL);
    ck_lacks(plain(&s, call(&s, "list_tasks", "{\"due\":\"today\"}")), "earlier days");
    call(&s, "add_task", "{\"content\":\"old\",\"due_date\":\"2026-11-18\"}");
    ck_has(plain(&s, call(&s, "list_tasks", "{\"due\":\"today\"}")), "And 1 from earlier days");
    ck_outcome(call(&s, "list_tasks", "{\"limit\":0}"), TOOL_FAIL);
    scene_close(&s);
}
END_TEST

/* --- notes --- */

START_TEST(notes_are_kept)
{
    struct scene s = scene_open(_i);
    struct tool_result *r = call(&s, "add_note", "{\"content\":\"The wifi password is hunter2\"}");
    ck_assert_str_eq(plain(&s, r), "✓ Note saved in General\nThe wifi password is hunter2\nID 1");
    call(&s, "add_note", "{\"content\":\"Wifi of the office: guest\",\"category\":\"Work\"}");
    ck_assert_str_eq(
        plain(&s, call(&s, "list_notes", "{}")),
        "2 notes\n2 · Wifi of the office: guest · Fri 20 Nov\n1 · The wifi password is hunter2 · Fri 20 Nov\n");
    ck_assert_int_eq(id_of(call(&s, "list_notes", "{\"query\":\"password\"}"), "total"), 1);
    ck_has(plain(&s, call(&s, "list_notes", "{\"limit\":1}")), "… and 1 more");
    ck_assert_int_eq(id_of(call(&s, "list_notes", "{\"category\":\"work\"}"), "total"), 1);
    ck_outcome(call(&s, "update_note", "{\"content\":\"wifi\",\"delete\":true}"), TOOL_ASK);
    ck_has(plain(&s, tap(&s, pick(&s, 2))), "Note deleted");
    ck_has(plain(&s, call(&s, "update_note", "{\"content\":\"wifi\",\"new_content\":\"hunter3\"}")),
           "✓ Note updated\nhunter3");
    ck_outcome(call(&s, "update_note", "{\"note_id\":1}"), TOOL_FAIL);
    ck_outcome(tap(&s, "delnote:1"), TOOL_OK);
    ck_has(plain(&s, call(&s, "list_notes", "{}")), "No notes yet.");
    scene_close(&s);
}
END_TEST

/* --- taps --- */

START_TEST(taps_do_what_they_say)
{
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"Buy bread\"}");
    struct tool_result *r = tap(&s, "date:1");
    ck_outcome(r, TOOL_ASK);
    ck_assert(has_button(r, "setdate:1:2026-11-20") && has_button(r, "setdate:1:2026-11-21"));
    ck_assert(has_button(r, "setdate:1:2026-11-27") && has_button(r, "setdate:1:none"));
    ck_assert_str_eq(row_text(&s, "SELECT kind || payload FROM pending WHERE channel = 'telegram' AND chat_id = 7"),
                     "edit_date{\"task_id\":1}");
    struct pending p = { .kind = "edit_date", .payload = "{\"task_id\":1}" };
    struct tool_ctx ctx = scene_ctx(&s, NULL, NULL);
    struct tap_call answer;
    ck_assert(tap_answer(&ctx, &p, "next friday at 5pm", &answer));
    ck_assert_str_eq(json_str(answer.arguments, "due_date", ""), "next friday at 5pm");
    ck_assert(tap_answer(&ctx, &p, "none", &answer));
    ck_assert(!tap_answer(&ctx, &p, "buy milk", &answer));
    ck_has(plain(&s, tap(&s, "setdate:1:2026-11-21")), "Due: Sat 2026-11-21 (tomorrow)");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM pending"), "0");
    ck_lacks(plain(&s, tap(&s, "setdate:1:none")), "Due:");
    ck_has(plain(&s, tap(&s, "show:task:1")), "Task in General\nBuy bread");
    ck_has(plain(&s, tap(&s, "done:1")), "✓ Done: Buy bread");
    ck_assert(has_button(tap(&s, "show:task:1"), "reopen:1"));
    ck_has(plain(&s, tap(&s, "reopen:1")), "reopened");
    ck_has(plain(&s, tap(&s, "del:1")), "deleted");
    ck_outcome(tap(&s, "show:task:1"), TOOL_FAIL);
    call(&s, "add_note", "{\"content\":\"n\"}");
    ck_has(plain(&s, tap(&s, "show:note:1")), "Note in General\nn");
    scene_close(&s);
}
END_TEST

START_TEST(bad_taps_do_nothing)
{
    static const char *const bad[] = {
        "",
        "done",
        "done:",
        "done:x",
        "done:-1",
        "done:0",
        "done:1:2",
        "done: 1",
        "done:99",
        "rm:1",
        "delall:0",
        "delall:0:0",
        "delall::3",
        "setdate:1",
        "setdate:1:",
        "setdate:1:x",
        "setdate:1:2026-02-30",
        "show:task",
        "show:x:1",
        "undo:0",
        "undo:x",
        "undo:999",
        "keep:1",
        "dellog:sleep:1",
        "dellog:x:1",
        "pick:1",
        "date:99",
        "done:9999999999999999999999",
        ":",
        "done:1;DROP TABLE tasks",
        "setdate:1:1999-01-01",
        "donedonedonedonedonedonedonedonedonedonedonedonedonedonedonedonedone:1",
    };
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"Buy bread\"}");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tool_result *r = tap(&s, bad[i]);
        if (!strcmp(bad[i], "keep:1"))
            continue; /* the turn's own form; here it is merely harmless */
        ck_assert_msg(tool_outcome(r) == TOOL_FAIL && tool_reply(r)->html.len > 0, "%s", bad[i]);
    }
    ck_assert_str_eq(
        row_text(&s, "SELECT content || completed || COALESCE(due_date, '-') FROM tasks WHERE deleted_at IS NULL"),
        "Buy bread0-");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM turns"), "1");
    scene_close(&s);
}
END_TEST

/* --- two people --- */

START_TEST(people_do_not_see_each_other)
{
    static const struct {
        const char *tool, *text;
    } tries[] = {
        { "complete_task", "{\"task_id\":1}" },
        { "complete_task", "{\"content\":\"secret\"}" },
        { "update_task", "{\"task_id\":1,\"due_date\":\"tomorrow\"}" },
        { "update_task", "{\"content\":\"secret\",\"due_date\":\"tomorrow\"}" },
        { "delete_task", "{\"task_id\":1}" },
        { "delete_task", "{\"content\":\"secret\"}" },
        { "delete_task", "{\"all\":true}" },
        { "delete_task", "{\"all\":true,\"category\":\"hers\"}" },
        { "set_reminder", "{\"task_id\":1,\"when\":\"tomorrow\"}" },
        { "update_note", "{\"note_id\":1,\"new_content\":\"x\"}" },
        { "update_note", "{\"content\":\"secret\",\"delete\":true}" },
        { "list_tasks", "{\"category\":\"hers\"}" },
        { "list_notes", "{\"category\":\"hers\"}" },
        { NULL, "done:1" },
        { NULL, "reopen:1" },
        { NULL, "del:1" },
        { NULL, "date:1" },
        { NULL, "setdate:1:none" },
        { NULL, "show:task:1" },
        { NULL, "show:note:1" },
        { NULL, "delnote:1" },
        { NULL, "delall:0:2" },
        { NULL, "delall:1:2" },
        { NULL, "undo:101" },
        { NULL, "pick:1:103" },
    };
    struct scene s = scene_open(_i);
    call(&s, "add_task", "{\"content\":\"secret one\",\"category\":\"hers\",\"due_date\":\"2026-11-25\"}");
    call(&s, "add_task", "{\"content\":\"secret two\",\"category\":\"hers\"}");
    call(&s, "add_note", "{\"content\":\"secret note\",\"category\":\"hers\"}");
    call(&s, "update_task", "{\"content\":\"secret\",\"due_date\":\"2026-11-26\"}"); /* a pick is open */
    s.user.id = 2;
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        struct tool_result *r = scene_do(&s, tries[i].tool, tries[i].text);
        ck_assert_msg(tool_outcome(r) == TOOL_FAIL, "%s: %s", tries[i].text, plain(&s, r));
        ck_lacks(plain(&s, r), "secret one");
    }
    ck_assert_int_eq(id_of(call(&s, "list_tasks", "{\"status\":\"all\"}"), "total"), 0);
    ck_assert_int_eq(id_of(call(&s, "list_notes", "{}"), "total"), 0);
    ck_assert_str_eq(row_text(&s,
                              "SELECT COUNT(*) FROM tasks WHERE user_id = 1 AND deleted_at IS NULL AND completed = 0"
                              " AND remind_at IS NULL"),
                     "2");
    ck_assert_str_eq(row_text(&s, "SELECT due_date FROM tasks WHERE id = 1"), "2026-11-25");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM notes WHERE content = 'secret note' AND deleted_at IS NULL"),
                     "1");
    call(&s, "add_task", "{\"content\":\"his\",\"category\":\"Hers\"}");
    ck_assert_str_eq(row_text(&s, "SELECT COUNT(*) FROM categories WHERE name_key = 'hers'"), "2");
    scene_close(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tasks");
    TCase *t = tcase_create("tasks");
    tcase_set_timeout(t, FIXTURE_TEST_S);
    tcase_add_loop_test(t, add_confirms_from_the_row, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, text_is_escaped, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, categories_are_matched_and_made, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, categories_are_bounded, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, a_time_brings_a_reminder, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, the_reminder_follows_the_date, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, set_reminder_finds_or_makes, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, a_snooze_in_the_repeated_hour, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, a_repeating_task_moves_on, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, a_repeat_moves_its_reminder, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, a_bare_rule_gets_its_first_date, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, words_find_the_task, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, exact_words_win, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, a_pick_finishes_an_update, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, update_changes_what_is_named, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, delete_is_soft_and_all_needs_a_tap, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, lists_are_grouped_and_bounded, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, notes_are_kept, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, taps_do_what_they_say, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, bad_taps_do_nothing, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(t, people_do_not_see_each_other, DB_SQLITE, DB_POSTGRES + 1);
    suite_add_tcase(suite, t);
    return fixture_main(suite, false);
}
