/* SPDX-License-Identifier: MIT
 * ask_question on both databases: figures, periods, comparisons, lists, evidence, and honest answers when there is
 * nothing.  It is Friday 2026-11-20 09:14 in Berlin; the person writes en-US or en. */
#include "router/question.h"
#include "tests/unit/tool_fixture.h"

static struct scene s;

/* Rows of user 1, and one of user 2 that must never be seen. */
static const char rows[] =
    "INSERT INTO categories (id, user_id, name, name_key, created_at) VALUES (1,1,'General','general',1),"
    " (2,1,'Work','work',1), (3,1,'Shopping','shopping',1);"
    "INSERT INTO tasks (id, user_id, content, category_id, due_date, created_date, completed, completed_date) VALUES"
    " (1,1,'Buy bread',3,'2026-11-21','2026-11-01T10:00:00Z',0,NULL),"
    " (2,1,'Quarterly report for Anna',2,'2026-11-27T17:00','2026-11-02T10:00:00Z',0,NULL),"
    " (3,1,'Pay the water bill',1,'2026-11-18','2026-11-03T10:00:00Z',0,NULL),"
    " (4,1,'Water the plants',1,NULL,'2026-11-04T10:00:00Z',0,NULL),"
    " (5,1,'Renew passport',1,'2026-11-10','2026-10-04T10:00:00Z',1,'2026-11-11T22:30:00Z'),"
    " (6,1,'Book flights',1,NULL,'2026-10-04T10:00:00Z',1,'2026-10-11T22:30:00Z'),"
    " (7,2,'Secret bread of another person',NULL,'2026-11-21','2026-11-01T10:00:00Z',0,NULL);"
    "INSERT INTO notes (id, user_id, content, category_id, created_date) VALUES"
    " (21,1,'The wifi password at the cabin is hunter2',1,'2026-11-12T10:00:00Z'),"
    " (22,1,'Anna likes dark chocolate and orchids',1,'2026-09-12T10:00:00Z'),"
    " (23,1,'World cup ideas: invite the neighbours',1,'2026-11-19T23:30:00Z'),"
    " (24,2,'wifi of another person: topsecret',NULL,'2026-11-12T10:00:00Z');"
    "INSERT INTO sleep_logs (user_id, date, hours, notes, created_date) VALUES"
    " (1,'2026-11-09',7,NULL,'x'), (1,'2026-11-10',8,NULL,'x'), (1,'2026-11-15',6,'bad dream about a dentist','x'),"
    " (1,'2026-11-16',8,NULL,'x'), (1,'2026-11-19',7.5,NULL,'x'), (1,'2026-11-20',6.5,NULL,'x'),"
    " (1,'2026-10-05',5,NULL,'x'), (2,'2026-11-10',1,NULL,'x');"
    "INSERT INTO water_logs (user_id, date, amount_ml, created_date) VALUES"
    " (1,'2026-11-20',250,'x'), (1,'2026-11-20',500,'x'), (1,'2026-11-19',2000,'x'), (1,'2026-11-18',900,'x'),"
    " (1,'2026-11-18',1200,'x');"
    "INSERT INTO exercise_logs (user_id, date, activity_type, duration_minutes, created_date) VALUES"
    " (1,'2026-11-03','running',30,'x'), (1,'2026-11-10','run',45,'x'), (1,'2026-11-17','Yoga',60,'x'),"
    " (1,'2026-10-17','running',90,'x'), (1,'2026-11-17','capoeira',20,'x');"
    "INSERT INTO sauna_logs (user_id, date, duration_minutes, temperature_c, created_date) VALUES"
    " (1,'2026-11-14',15,90,'x'), (1,'2026-10-01',10,100,'x');"
    "INSERT INTO inbody_measurements (user_id, date, weight_kg, body_fat_percent, created_date) VALUES"
    " (1,'2026-09-10',84,NULL,'x'), (1,'2026-09-20',83,20,'x'), (1,'2026-10-10',82.5,NULL,'x'),"
    " (1,'2026-10-20',81.5,19,'x'), (1,'2026-11-18',81,NULL,'x');";

static void open_rows(int kind)
{
    s = scene_open(kind);
    ck_ok(store_write(s.store, write_script, (void *)rows, e));
}

static struct tool_result *ask_with(const char *query, const char *more)
{
    struct json_object *o = json_keep(s.arena, json_object_new_object());
    json_set_str(o, "query", query);
    const char *text = json_text(s.arena, o);
    return call(&s, "ask_question", arena_printf(s.arena, "%.*s%s}", (int)strlen(text) - 1, text, more));
}

static const char *ask(const char *query)
{
    struct tool_result *r = ask_with(query, "");
    ck_outcome(r, TOOL_OK);
    return plain(&s, r);
}

START_TEST(figures)
{
    open_rows(_i);
    static const struct {
        const char *query, *words[3];
    } cases[] = {
        { "how much did I sleep last week?",
          { "7 h a night on average, 21 h in total", "2026-11-09 – Sun 2026-11-15", "3 entries" } },
        { "how much did I sleep last night", { "Sleep: 6 h 30 min", "(today)", "1 entry" } },
        { "average sleep in November", { "7 h 10 min a night on average", "6 entries", "2026-11-30" } },
        { "what was my shortest night of sleep", { "5 h, Mon 2026-10-05", "all time, since 2026-10-05", "7 entries" } },
        { "how much water today", { "Water: 750 ml", "(today)", "2 entries" } },
        { "how much water have I drunk this week?", { "4.85 l in total, 1.62 l a day", "5 entries", NULL } },
        { "what's the most water I drank", { "2.1 l, Wed 2026-11-18", NULL, NULL } },
        { "when did I last go to the sauna?", { "15 min, Sat 2026-11-14", NULL, NULL } },
        { "what was the hottest sauna", { "100 °C, Thu 2026-10-01", NULL, NULL } },
        { "how many workouts this month", { "4 workouts", "2 h 35 min in total", "4 entries" } },
        { "how often did I run in november", { "Exercise (run): 2 workouts", "1 h 15 min", NULL } },
        { "longest run", { "1 h 30 min, Sat 2026-10-17", NULL, NULL } },
        { "how long was my longest run this month", { "45 min, Tue 2026-11-10", NULL, NULL } },
        { "when did I last do capoeira", { "20 min, Tue 2026-11-17", NULL, NULL } },
        { "how many days did I exercise this month?", { "3 days", NULL, NULL } },
        { "how much do I weigh", { "Weight: 81 kg, Wed 2026-11-18", NULL, NULL } },
        { "what did I weigh in October",
          { "82 kg on average; −1 kg: from 82.5 kg (2026-10-10) to 81.5 kg", "2 entries", NULL } },
        { "how has my weight changed since September", { "−3 kg: from 84 kg", "to 81 kg (2026-11-18)", "5 entries" } },
        { "what is my body fat", { "Body fat: 19 %", NULL, NULL } },
        { "health overview", { "Health, the last 7 days", "Exercise: ", NULL } },
        { "my health", { "Sleep: ", "Water: 4.85 l", "Weight: 81 kg" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *said = ask(cases[i].query);
        for (int w = 0; w < 3 && cases[i].words[w]; w++)
            ck_assert_msg(strstr(said, cases[i].words[w]) != NULL, "%s: no \"%s\" in: %s", cases[i].query,
                          cases[i].words[w], said);
    }
    scene_close(&s);
}
END_TEST

START_TEST(comparisons)
{
    open_rows(_i);
    const char *said = ask("what did I weigh in October compared with September");
    ck_has(said, "October (Thu 2026-10-01 – Sat 2026-10-31): 82 kg on average · 2 entries");
    ck_has(said, "83.5 kg on average · 2 entries");
    ck_has(said, "Change: −1.5 kg");
    said = ask("did I sleep more this week than last week?");
    ck_has(said, "7 h 20 min a night on average");
    ck_has(said, "Change: +20 min");
    said = ask("did I run more in november than in october");
    ck_has(said, "Change: −15 min");
    said = ask("compare my sauna sessions in november and august");
    ck_has(said, "no entries");
    ck_lacks(said, "Change");
    ck_has(ask("how much water did I drink yesterday compared to today"), "Change: −1.25 l");
    scene_close(&s);
}
END_TEST

START_TEST(nothing_is_said_honestly)
{
    open_rows(_i);
    const char *said = ask("how much did I sleep in march");
    ck_has(said, "Sleep: no entries for march (Sun 2026-03-01");
    ck_has(said, "The latest is 6 h 30 min");
    ck_has(ask("how often did I swim this month"), "Exercise (swim): no entries");
    ck_has(ask("what is the largest ocean in the world"),
           "I found nothing about “largest ocean world” in your tasks, notes and health logs.");
    struct tool_result *r = ask_with("zebra crossing", ",\"query_type\":\"notes\"");
    ck_has(plain(&s, r), "I found nothing about “zebra crossing” in your notes.");
    ck_assert(!json_flag(tool_data(r), "answered", true));
    scene_close(&s);
}
END_TEST

START_TEST(task_lists)
{
    open_rows(_i);
    const char *said = ask("what tasks do I have?");
    ck_has(said, "4 open tasks");
    ck_has(said, "• Buy bread · Sat 2026-11-21 (tomorrow) [task 1]");
    ck_lacks(said, "another person");
    said = ask("what's due this week");
    ck_has(said, "2 tasks, this week");
    ck_lacks(said, "report");
    ck_has(ask("what is due tomorrow?"), "1 task, Sat 2026-11-21 (tomorrow)\n• Buy bread");
    ck_has(ask("what's due friday"), "Quarterly report");
    ck_has(ask("which tasks are overdue"), "1 overdue task\n• Pay the water bill");
    ck_has(ask("what's on my shopping list"), "1 open task in Shopping\n• Buy bread");
    ck_has(ask("work tasks"), "1 open task in Work\n• Quarterly");
    said = ask("how many tasks did I finish in november?");
    ck_has(said, "1 completed task, november");
    ck_has(said, "Renew passport");
    ck_has(ask("what did I get done yesterday"), "No completed tasks, Thu 2026-11-19 (yesterday)");
    ck_has(ask("what is on tomorrow"), "Buy bread");
    /* 22:30 UTC on the 11th is the 11th in Berlin too */
    ck_has(ask("what did I do on november 11"), "1 completed task, Wed 2026-11-11");
    ck_has(ask("what did I do on november 10"), "No completed tasks");
    struct tool_result *r =
        ask_with("anything", ",\"query_type\":\"tasks\",\"date_from\":\"2026-11-21\",\"date_to\":\"2026-11-30\"");
    ck_has(plain(&s, r), "2 tasks");
    ck_assert(has_button(r, "show:task:1"));
    ck_assert_int_eq(json_int(tool_data(r), "count", -1), 2);
    scene_close(&s);
}
END_TEST

START_TEST(evidence)
{
    open_rows(_i);
    struct tool_result *r = ask_with("what's the wifi password?", "");
    ck_has(plain(&s, r), "[note 21] Thu 2026-11-12");
    ck_has(plain(&s, r), "hunter2");
    ck_lacks(plain(&s, r), "topsecret");
    ck_assert(has_button(r, "show:note:21"));
    struct json_object *first = json_object_array_get_idx(json_at(tool_data(r), "evidence"), 0);
    ck_assert_str_eq(json_str(first, "id", ""), "note_21");
    ck_assert_str_eq(json_str(first, "type", ""), "note");
    ck_assert(json_has(first, "score") && json_has(first, "created_date"));
    ck_has(ask("what does Anna like?"), "[note 22]");
    ck_has(ask("did I pay the water bill"), "[task 3]");
    ck_has(ask("when is the report for anna due"), "[task 2] due Fri 2026-11-27");
    ck_has(ask("how much is the water bill"), "[task 3]");
    ck_has(ask("find the dentist"), "[sleep ");
    ck_has(ask("task 4"), "Water the plants");
    ck_has(ask("is it healthy to sleep 4 hours"), "I found nothing");
    ck_has(ask("sleep log 3"), "[sleep 3]");
    ck_has(ask("passport"), "done");
    /* the person's day: 23:30 UTC is the 20th in Berlin */
    r = ask_with("world cup", ",\"date_from\":\"2026-11-20\",\"date_to\":\"2026-11-20\"");
    ck_has(plain(&s, r), "[note 23] Fri 2026-11-20 (today)");
    r = ask_with("world cup", ",\"date_from\":\"2026-11-19\",\"date_to\":\"2026-11-19\"");
    ck_has(plain(&s, r), "I found nothing");
    r = ask_with("bread", ",\"category\":\"work\"");
    ck_has(plain(&s, r), "I found nothing about “bread” in your tasks, notes and health logs in work.");
    ck_outcome(ask_with("x", ",\"date_from\":\"2026-11-20\",\"date_to\":\"2026-11-19\""), TOOL_FAIL);
    scene_close(&s);
}
END_TEST

START_TEST(mixed_questions_get_both)
{
    open_rows(_i);
    const char *said = ask("how did I sleep with the dentist dream last week?");
    ck_has(said, "7 h a night on average");
    ck_has(said, "bad dream about a dentist");
    /* a condition that is not understood is not answered wrongly */
    ck_lacks(ask("how many nights did I sleep more than 7 hours this month"), "6 nights");
    scene_close(&s);
}
END_TEST

START_TEST(what_is_said_twice_is_evidence_once)
{
    open_rows(_i);
    ck_ok(store_write(s.store, write_script,
                      "INSERT INTO notes (id, user_id, content, created_date) VALUES"
                      " (31,1,'the spare key is under the mat','2026-11-12T10:00:00Z'),"
                      " (32,1,'the spare key is under the mat','2026-11-13T10:00:00Z'),"
                      " (33,1,'a spare key hangs at work','2026-11-13T10:00:00Z')",
                      e));
    struct json_object *list = json_at(tool_data(ask_with("where is the spare key", "")), "evidence");
    ck_assert_uint_eq(json_object_array_length(list), 2);
    scene_close(&s);
}
END_TEST

START_TEST(evidence_is_bounded)
{
    open_rows(_i);
    char *note = arena_alloc(s.arena, 12000);
    for (int i = 0; i < 1000; i++)
        strcat(note, "orchid xyz ");
    const char *sql = "";
    for (int i = 0; i < 15; i++)
        sql = arena_printf(
            s.arena,
            "%sINSERT INTO notes (id, user_id, content, created_date) VALUES (%d,1,'%d %s','2026-11-12T10:00:00Z');",
            sql, 100 + i, i, note);
    ck_ok(store_write(s.store, write_script, (void *)sql, e));
    struct tool_result *r = ask_with("orchid", "");
    size_t n = json_object_array_length(json_at(tool_data(r), "evidence"));
    ck_assert_uint_ge(n, 5);
    ck_assert_uint_le(n, EVIDENCE_ITEMS_MAX);
    ck_assert_uint_le(evidence_tokens(json_text(s.arena, json_at(tool_data(r), "evidence"))), EVIDENCE_TOKENS_MAX + 20);
    ck_assert_uint_eq(evidence_tokens("abcd"), 1);
    ck_assert_uint_eq(evidence_tokens("買麵包"), 3);
    scene_close(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("question");
    TCase *both = tcase_create("both databases");
    tcase_set_timeout(both, FIXTURE_TEST_S);
    tcase_add_loop_test(both, figures, 0, 2);
    tcase_add_loop_test(both, comparisons, 0, 2);
    tcase_add_loop_test(both, nothing_is_said_honestly, 0, 2);
    tcase_add_loop_test(both, task_lists, 0, 2);
    tcase_add_loop_test(both, evidence, 0, 2);
    tcase_add_loop_test(both, mixed_questions_get_both, 0, 2);
    tcase_add_loop_test(both, what_is_said_twice_is_evidence_once, 0, 2);
    tcase_add_loop_test(both, evidence_is_bounded, 0, 2);
    suite_add_tcase(suite, both);
    return fixture_main(suite, false);
}
