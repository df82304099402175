/* SPDX-License-Identifier: MIT
 * The health tools as a turn runs them, on both databases: rows, confirmations, replacement, removal, undo. */
#include "router/tool_rows.h"
#include "store/health_text.h"
#include "tests/unit/tool_fixture.h"

static struct scene s;

static void open_scene(int kind)
{
    s = scene_open(kind);
}

START_TEST(sleep_is_logged)
{
    open_scene(_i);
    struct tool_result *r = call(&s, "log_sleep", "{\"hours\":7.5,\"notes\":\"woke up twice\"}");
    ck_outcome(r, TOOL_OK);
    const char *text = plain(&s, r);
    ck_has(text, "✓ Sleep logged\n7 h 30 min · Fri 2026-11-20 (today)\nwoke up twice\nID ");
    ck_lacks(text, "average");
    ck_assert_str_eq(row_text(&s, "SELECT date FROM sleep_logs WHERE hours = 7.5 AND user_id = 1"), "2026-11-20");
    r = call(&s, "log_sleep", "{\"hours\":6.5,\"date\":\"yesterday\"}");
    ck_has(plain(&s, r), "2026-11-19 (yesterday)");
    r = call(&s, "log_sleep", "{\"hours\":8,\"date\":\"2026-11-18\"}");
    ck_has(plain(&s, r), "8 h · Wed 2026-11-18");
    scene_close(&s);
}
END_TEST

START_TEST(second_night_replaces)
{
    open_scene(_i);
    call(&s, "log_sleep", "{\"hours\":7,\"date\":\"2026-11-19\"}");
    struct tool_result *r = call(&s, "log_sleep", "{\"hours\":6.5,\"notes\":\"late\"}");
    int64_t id = id_of(r, "id");
    r = call(&s, "log_sleep", "{\"hours\":7.5}");
    ck_has(plain(&s, r), "Sleep logged, replaced 6.5 h\n7 h 30 min");
    ck_has(plain(&s, r), "7-day average 7 h 15 min (2 nights)");
    ck_assert_int_eq(id_of(r, "id"), id);
    ck_assert_double_eq(json_num(tool_data(r), "replaced_hours", 0), 6.5);
    ck_assert_int_eq(read_int(s.store, "SELECT count(*) FROM sleep_logs WHERE deleted_at IS NULL"), 2);
    ck_assert_str_eq(row_text(&s, "SELECT notes FROM sleep_logs WHERE date = '2026-11-20'"), "late");
    /* undo brings the first number back */
    struct tool_result *undone = tap(&s, arena_printf(s.arena, "undo:%lld", (long long)s.last_turn));
    ck_outcome(undone, TOOL_OK);
    ck_assert_str_eq(row_text(&s, "SELECT CAST(hours AS TEXT) FROM sleep_logs WHERE date = '2026-11-20'"), "6.5");
    scene_close(&s);
}
END_TEST

START_TEST(water_shows_the_day)
{
    open_scene(_i);
    call(&s, "log_water", "{\"amount_ml\":2000,\"date\":\"2026-11-19\"}");
    call(&s, "log_water", "{\"amount_ml\":250}");
    struct tool_result *r = call(&s, "log_water", "{\"amount_ml\":750}");
    ck_has(plain(&s, r), "750 ml · Fri 2026-11-20 (today)\nTotal of the day: 1 l");
    ck_assert_double_eq(json_num(tool_data(r), "day_total_ml", 0), 1000);
    scene_close(&s);
}
END_TEST

START_TEST(exercise_and_sauna)
{
    open_scene(_i);
    struct tool_result *r = call(&s, "log_exercise", "{\"activity_type\":\"running\",\"duration_minutes\":30}");
    ck_has(plain(&s, r), "✓ Exercise logged\nrunning, 30 min");
    r = call(&s, "log_exercise", "{\"activity_type\":\"yoga\",\"duration_minutes\":45}");
    ck_has(plain(&s, r), "Last 7 days: 1 h 15 min in 2 workouts");
    r = call(&s, "log_sauna", "{\"duration_minutes\":15,\"temperature_c\":90}");
    ck_has(plain(&s, r), "15 min at 90 °C");
    r = call(&s, "log_sauna", "{\"duration_minutes\":12.5}");
    ck_has(plain(&s, r), "12.5 min ·");
    ck_has(plain(&s, r), "2 sessions in 30 days");
    ck_assert_str_eq(row_text(&s, "SELECT CAST(temperature_c AS TEXT) FROM sauna_logs WHERE duration_minutes = 12.5"),
                     "(null)");
    scene_close(&s);
}
END_TEST

START_TEST(body_shows_the_change)
{
    open_scene(_i);
    struct tool_result *r = call(&s, "log_body", "{}");
    ck_outcome(r, TOOL_ASK);
    call(&s, "log_body", "{\"weight_kg\":82,\"body_fat_percent\":18.5,\"date\":\"2026-11-16\"}");
    call(&s, "log_body", "{\"muscle_kg\":38,\"date\":\"2026-11-17\"}");
    r = call(&s, "log_body", "{\"weight_kg\":81.4,\"body_fat_percent\":18.5}");
    ck_has(plain(&s, r), "✓ Body logged\n81.4 kg, 18.5 % fat · ");
    ck_has(plain(&s, r), "−0.6 kg, no change fat since Mon 2026-11-16");
    scene_close(&s);
}
END_TEST

START_TEST(bounds_are_refused)
{
    open_scene(_i);
    static const struct {
        const char *tool, *arguments;
    } bad[] = {
        { "log_sleep", "{\"hours\":0.2}" },
        { "log_sleep", "{\"hours\":24.5}" },
        { "log_sleep", "{\"hours\":7,\"date\":\"2026-11-21\"}" },
        { "log_water", "{\"amount_ml\":0}" },
        { "log_water", "{\"amount_ml\":10001}" },
        { "log_exercise", "{\"activity_type\":\"run\"}" },
        { "log_exercise", "{\"activity_type\":\"run\",\"duration_minutes\":1441}" },
        { "log_sauna", "{\"duration_minutes\":10,\"temperature_c\":131}" },
        { "log_body", "{\"weight_kg\":19.9}" },
        { "log_body", "{\"body_fat_percent\":76}" },
        { "delete_log", "{\"kind\":\"mood\"}" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_outcome(call(&s, bad[i].tool, bad[i].arguments), TOOL_FAIL);
    for (int k = 0; k < HEALTH_KINDS; k++) {
        const char *sql = arena_printf(s.arena, "SELECT count(*) FROM %s", health_tables[k].table);
        ck_assert_int_eq(read_int(s.store, sql), 0);
    }
    scene_close(&s);
}
END_TEST

START_TEST(wrong_log_is_removed)
{
    open_scene(_i);
    struct tool_result *a = call(&s, "log_water", "{\"amount_ml\":250}");
    struct tool_result *b = call(&s, "log_water", "{\"amount_ml\":300}");
    struct tool_result *r = call(&s, "delete_log", "{\"kind\":\"water\",\"date\":\"today\"}");
    ck_outcome(r, TOOL_ASK);
    ck_assert(has_button(r, arena_printf(s.arena, "dellog:water:%lld", (long long)id_of(b, "id"))));
    r = tap(&s, arena_printf(s.arena, "dellog:water:%lld", (long long)id_of(b, "id")));
    ck_outcome(r, TOOL_OK);
    ck_has(plain(&s, r), "✓ Water log deleted\n300 ml");
    ck_assert_int_eq(read_int(s.store, "SELECT count(*) FROM water_logs WHERE deleted_at IS NULL"), 1);
    ck_outcome(tap(&s, arena_printf(s.arena, "undo:%lld", (long long)s.last_turn)), TOOL_OK);
    ck_assert_int_eq(read_int(s.store, "SELECT count(*) FROM water_logs WHERE deleted_at IS NULL"), 2);
    r = call(&s, "delete_log",
             arena_printf(s.arena, "{\"kind\":\"water\",\"log_id\":%lld}", (long long)id_of(a, "id")));
    ck_outcome(r, TOOL_OK);
    ck_outcome(call(&s, "delete_log", "{\"kind\":\"water\",\"log_id\":999}"), TOOL_FAIL);
    ck_outcome(call(&s, "delete_log", "{\"kind\":\"sauna\",\"date\":\"today\"}"), TOOL_FAIL);
    ck_outcome(call(&s, "delete_log", "{\"kind\":\"sauna\"}"), TOOL_ASK);
    scene_close(&s);
}
END_TEST

START_TEST(others_rows_do_not_exist)
{
    open_scene(_i);
    struct tool_result *mine = call(&s, "log_sleep", "{\"hours\":7}");
    s.user.id = 2;
    struct tool_result *r = call(&s, "log_sleep", "{\"hours\":8}");
    ck_lacks(plain(&s, r), "replaced");
    r = call(&s, "delete_log",
             arena_printf(s.arena, "{\"kind\":\"sleep\",\"log_id\":%lld}", (long long)id_of(mine, "id")));
    ck_outcome(r, TOOL_FAIL);
    ck_assert_int_eq(read_int(s.store, "SELECT count(*) FROM sleep_logs WHERE deleted_at IS NULL"), 2);
    scene_close(&s);
}
END_TEST

/* The rows' own functions name the user too, whatever a tool has looked up before. */
static enum status touch_others(struct db *db, void *arg, struct error *error)
{
    (void)arg;
    (void)error;
    struct health_log log = { .kind = HEALTH_WATER,
                              .date = "2026-11-20",
                              .value = { 250 },
                              .has = { true },
                              .created_date = "2026-11-20T08:14:00Z" };
    bool found;
    ck_ok(health_insert(db, 1, &log, e));
    struct health_query q = { .kind = HEALTH_WATER, .user_id = 2, .id = log.id };
    struct health_log seen;
    ck_ok(health_first(db, s.arena, &q, &seen, &found, e));
    ck_assert(!found);
    ck_is(health_delete(db, 2, HEALTH_WATER, log.id, 1, e), ST_NOT_FOUND, "no water log");
    ck_is(health_update(db, 2, &log, e), ST_NOT_FOUND, "no water log");
    q.user_id = 1;
    ck_ok(health_first(db, s.arena, &q, &seen, &found, e));
    ck_assert(found && seen.value[0] == 250);
    ck_ok(health_delete(db, 1, HEALTH_WATER, log.id, 1, e));
    ck_is(health_delete(db, 1, HEALTH_WATER, log.id, 1, e), ST_NOT_FOUND, "no water log");
    return OK;
}

START_TEST(rows_name_their_user)
{
    open_scene(_i);
    struct error error;
    ck_assert_int_eq(store_write(s.store, touch_others, NULL, &error), OK);
    scene_close(&s);
}
END_TEST

START_TEST(figures_read_well)
{
    struct arena *a = arena_new();
    ck_assert_str_eq(figure_number(a, 7.5, 2), "7.5");
    ck_assert_str_eq(figure_number(a, 7, 2), "7");
    ck_assert_str_eq(figure_number(a, 100, 0), "100");
    ck_assert_str_eq(figure_number(a, -0.001, 2), "0");
    ck_assert_str_eq(figure_unit(a, 7.5, "hours"), "7 h 30 min");
    ck_assert_str_eq(figure_unit(a, 0.25, "hours"), "15 min");
    ck_assert_str_eq(figure_unit(a, 60, "minutes"), "1 h");
    ck_assert_str_eq(figure_unit(a, 1750, "ml"), "1.75 l");
    ck_assert_str_eq(figure_unit(a, 81.4, "kg"), "81.4 kg");
    ck_assert_str_eq(figure_change(a, -0.6, "kg"), "−0.6 kg");
    ck_assert_str_eq(figure_change(a, 0.01, "kg"), "no change");
    ck_assert_str_eq(figure_exact(a, 81.4), "81.4");
    ck_assert_str_eq(figure_exact(a, 0.1 + 0.2), "0.30000000000000004");
    arena_free(a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("health");
    TCase *tools = tcase_create("tools"), *pure = tcase_create("pure");
    tcase_set_timeout(tools, FIXTURE_TEST_S);
    tcase_add_loop_test(tools, sleep_is_logged, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(tools, second_night_replaces, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(tools, water_shows_the_day, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(tools, exercise_and_sauna, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(tools, body_shows_the_change, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(tools, bounds_are_refused, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(tools, wrong_log_is_removed, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(tools, others_rows_do_not_exist, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(tools, rows_name_their_user, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_test(pure, figures_read_well);
    suite_add_tcase(suite, tools);
    suite_add_tcase(suite, pure);
    return fixture_main(suite, false);
}
