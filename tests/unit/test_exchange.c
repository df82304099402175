/* SPDX-License-Identifier: MIT
 * Export and import on both databases: the same file comes back, a bad line changes nothing, nothing is added
 * twice, another person's rows are not touched. */
#include "store/exchange.h"
#include "base/limits.h"
#include "tests/unit/store_fixture.h"

enum { NOW_S = 1795162440 }; /* 2026-11-20T08:14:00Z */

static struct store *store;
static struct arena *arena;

static void open_kind(int kind)
{
    store = fixture_open(kind);
    arena = arena_new();
}

static void close_both(void)
{
    store_close(store);
    arena_free(arena);
}

/* Import of a text; "" = done, else the sentence. */
static const char *import_text(int64_t user, const char *text, struct import_result *result)
{
    struct error error = { .text = "" };
    struct import *im = import_new((int64_t)NOW_S * 1000);
    enum status st = OK;
    for (const char *line = text; *line && st == OK;) {
        size_t n = strcspn(line, "\n");
        st = import_line(im, line, n, &error);
        line += n + (line[n] == '\n');
    }
    if (st == OK)
        st = import_write(store, im, user, NULL, NULL, result, &error);
    import_free(im);
    return st == OK ? "" : arena_strdup(arena, error.text);
}

static const char *export_text(struct store *from, int64_t user)
{
    struct buf out = BUF_INIT(64 * MIB);
    struct exchange_count count;
    struct db *db;
    ck_ok(store_read_begin(from, &db, e));
    ck_ok(exchange_export(db, user, &out, &count, e));
    store_read_end(from, db);
    const char *text = arena_strdup(arena, buf_str(&out));
    buf_release(&out);
    return text;
}

#define ck_import(user, text)                                                                                          \
    do {                                                                                                               \
        struct import_result ck_r;                                                                                     \
        ck_assert_str_eq(import_text((user), (text), &ck_r), "");                                                      \
    } while (0)
#define ck_refuses(text, words)                                                                                        \
    do {                                                                                                               \
        struct import_result ck_r;                                                                                     \
        const char *ck_said = import_text(1, (text), &ck_r);                                                           \
        ck_assert_msg(strstr(ck_said, (words)) != NULL, "\"%s\" for %s", ck_said, text);                               \
        ck_assert_str_eq(export_text(store, 1), before);                                                               \
    } while (0)

static const char full_file[] =
    "{\"type\":\"category\",\"name\":\"General\",\"created_date\":\"2026-01-01T00:00:00Z\"}\n"
    "{\"type\":\"category\",\"name\":\"Work\",\"created_date\":\"2026-01-01T00:00:00Z\"}\n"
    "{\"type\":\"category\",\"name\":\"zebra\",\"created_date\":\"2026-01-01T00:00:00Z\"}\n"
    "{\"type\":\"category\",\"name\":\"Projects\",\"parent\":\"Work\",\"created_date\":\"2026-01-02T00:00:00Z\"}\n"
    "{\"type\":\"category\",\"name\":\"Zebra\",\"parent\":\"Work\",\"created_date\":\"2026-01-02T00:00:00Z\"}\n"
    "{\"type\":\"category\",\"name\":\"Äpfel & "
    "Birnen\",\"parent\":\"Work/Projects\",\"created_date\":\"2026-01-03T00:00:00Z\"}\n"
    "{\"type\":\"task\",\"id\":3,\"content\":\"Buy bread / "
    "\\\"rye\\\"\\n\\ttwo\",\"category\":\"General\",\"due_date\":\"2026-11-21\",\"created_date\":\"2026-11-01T10:00:"
    "00Z\",\"completed\":false}\n"
    "{\"type\":\"task\",\"id\":83,\"content\":\"Review "
    "😀\",\"category\":\"Work/"
    "Projects\",\"due_date\":\"2026-11-24T17:00\",\"created_date\":\"2026-11-02T10:00:00Z\",\"completed\":false,"
    "\"repeat\":\"FREQ=WEEKLY;BYDAY=TU\",\"remind_at\":1795536000123}\n"
    "{\"type\":\"task\",\"id\":84,\"content\":\"Old\",\"category\":null,\"created_date\":\"2025-11-02T10:00:00Z\","
    "\"completed\":true,\"completed_date\":\"2025-12-01T08:30:00Z\",\"remind_at\":1764576000000,\"reminded_at\":"
    "1764576000500}\n"
    "{\"type\":\"note\",\"id\":21,\"content\":\"wifi: hunter2\",\"category\":\"Work/Projects/Äpfel & "
    "Birnen\",\"created_date\":\"2026-11-03T10:00:00Z\"}\n"
    "{\"type\":\"note\",\"id\":22,\"content\":\"z\",\"category\":\"zebra\",\"created_date\":\"2026-11-03T10:00:00Z\"}\n"
    "{\"type\":\"sleep\",\"id\":5,\"date\":\"2026-11-19\",\"hours\":7.25,\"notes\":\"\",\"created_date\":\"2026-11-"
    "19T07:00:00Z\"}\n"
    "{\"type\":\"exercise\",\"id\":1,\"date\":\"2026-11-19\",\"activity_type\":\"running\",\"duration_minutes\":30.1,"
    "\"notes\":\"rain\",\"created_date\":\"2026-11-19T07:00:00Z\"}\n"
    "{\"type\":\"water\",\"id\":1,\"date\":\"2026-11-19\",\"amount_ml\":250,\"created_date\":\"2026-11-19T07:00:00Z\"}"
    "\n"
    "{\"type\":\"water\",\"id\":2,\"date\":\"2026-11-19\",\"amount_ml\":250,\"created_date\":\"2026-11-19T07:00:00Z\"}"
    "\n"
    "{\"type\":\"sauna\",\"id\":1,\"date\":\"2026-11-18\",\"duration_minutes\":15,\"temperature_c\":90,\"created_"
    "date\":\"2026-11-18T07:00:00Z\"}\n"
    "{\"type\":\"body\",\"id\":9,\"date\":\"2026-11-18\",\"weight_kg\":81.4,\"muscle_kg\":38,\"created_date\":\"2026-"
    "11-18T07:00:00Z\"}\n";

START_TEST(the_same_file_comes_back)
{
    open_kind(_i);
    struct import_result r;
    ck_assert_str_eq(import_text(1, full_file, &r), "");
    ck_assert_int_eq(r.added[EXCHANGE_CATEGORY], 6);
    ck_assert_int_eq(r.added[EXCHANGE_TASK], 3);
    ck_assert_int_eq(r.added[EXCHANGE_WATER], 2);
    ck_assert_int_eq(r.present + r.renumbered, 0);
    ck_assert_str_eq(export_text(store, 1), full_file);
    /* once more through an empty database of the other kind */
    struct store *first = store;
    store = fixture_open(_i == DB_SQLITE ? DB_POSTGRES : DB_SQLITE);
    ck_import(1, export_text(first, 1));
    ck_assert_str_eq(export_text(store, 1), full_file);
    store_close(first);
    close_both();
}
END_TEST

START_TEST(new_rows_get_free_ids)
{
    open_kind(_i);
    ck_import(1, full_file);
    ck_import(1, "{\"type\":\"task\",\"content\":\"new\"}\n{\"type\":\"sleep\",\"date\":\"2026-11-20\",\"hours\":8}\n");
    ck_assert_int_eq(read_int(store, "SELECT id FROM tasks WHERE content = 'new'"), 85);
    ck_assert_int_eq(read_int(store, "SELECT id FROM sleep_logs WHERE hours = 8"), 6);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM tasks t JOIN categories c ON c.id = t.category_id"
                                     " WHERE t.content = 'new' AND c.name = 'General' AND t.completed = 0"
                                     " AND t.created_date = '2026-11-20T08:14:00Z'"),
                     1);
    /* rows without an id stand before one with an id in the file */
    ck_import(1, "{\"type\":\"note\",\"content\":\"a\"}\n{\"type\":\"note\",\"id\":23,\"content\":\"b\"}\n");
    ck_assert_int_eq(read_int(store, "SELECT id FROM notes WHERE content = 'b'"), 23);
    ck_assert_int_eq(read_int(store, "SELECT id FROM notes WHERE content = 'a'"), 24);
    close_both();
}
END_TEST

START_TEST(twice_adds_nothing)
{
    open_kind(_i);
    struct import_result r;
    ck_import(1, full_file);
    ck_assert_str_eq(import_text(1, full_file, &r), "");
    for (int k = 0; k < EXCHANGE_KINDS; k++)
        ck_assert_int_eq(r.added[k], 0);
    ck_assert_int_eq(r.present, 17);
    ck_assert_str_eq(export_text(store, 1), full_file);
    /* a file without ids and dates, with two equal lines */
    static const char hand[] = "{\"type\":\"water\",\"date\":\"2026-11-20\",\"amount_ml\":300}\n"
                               "{\"type\":\"water\",\"date\":\"2026-11-20\",\"amount_ml\":300}\n"
                               "{\"type\":\"task\",\"content\":\"Call mom\",\"category\":\"WORK/projects\"}\n";
    for (int round = 0; round < 2; round++) {
        ck_assert_str_eq(import_text(1, hand, &r), "");
        ck_assert_int_eq(r.added[EXCHANGE_WATER], round ? 0 : 2);
        ck_assert_int_eq(r.added[EXCHANGE_TASK], round ? 0 : 1);
        ck_assert_int_eq(r.added[EXCHANGE_CATEGORY], 0);
    }
    ck_assert_str_eq(import_text(1, "{\"type\":\"note\",\"content\":\"n\",\"category\":\"New/One\"}", &r), "");
    ck_assert_int_eq(r.added[EXCHANGE_CATEGORY], 2);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM water_logs WHERE amount_ml = 300"), 2);
    close_both();
}
END_TEST

START_TEST(another_person)
{
    open_kind(_i);
    struct import_result r;
    ck_import(1, full_file);
    ck_assert_str_eq(import_text(2, full_file, &r), "");
    ck_assert_int_eq(r.renumbered, 11);
    ck_assert_int_eq(r.present, 0);
    ck_assert_str_eq(export_text(store, 1), full_file);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM tasks WHERE user_id = 2"), 3);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM tasks t JOIN categories c ON c.id = t.category_id"
                                     " WHERE t.user_id <> c.user_id"),
                     0);
    close_both();
}
END_TEST

START_TEST(deleted_rows_stay_behind_and_keep_their_ids)
{
    open_kind(_i);
    struct import_result r;
    ck_import(1, full_file);
    ck_ok(store_write(store, write_script, "UPDATE tasks SET deleted_at = 1 WHERE id = 83", e));
    ck_assert_ptr_null(strstr(export_text(store, 1), "\"id\":83"));
    ck_assert_str_eq(import_text(1, full_file, &r), "");
    ck_assert_int_eq(r.added[EXCHANGE_TASK], 1);
    ck_assert_int_eq(r.renumbered, 1);
    ck_assert_int_eq(read_int(store, "SELECT id FROM tasks WHERE deleted_at IS NULL AND repeat IS NOT NULL"), 85);
    close_both();
}
END_TEST

START_TEST(a_bad_line_changes_nothing)
{
    open_kind(_i);
    ck_import(1, full_file);
    const char *before = export_text(store, 1);
    static const char good[] = "{\"type\":\"note\",\"content\":\"fresh\"}\n\n";
    static const struct {
        const char *line, *words;
    } bad[] = {
        { "nonsense", "line 3: " },
        { "[1]", "line 3: not a JSON object" },
        { "{\"content\":\"x\"}", "line 3: \"type\" is missing" },
        { "{\"type\":\"tsak\",\"content\":\"x\"}", "line 3: unknown type \"tsak\"; known are category, task, note" },
        { "{\"type\":\"task\",\"content\":\"x\",\"due\":\"2026-11-21\"}",
          "line 3: a task has no column \"due\"; it has id, content" },
        { "{\"type\":\"task\"}", "content is missing" },
        { "{\"type\":\"task\",\"content\":null}", "content is missing" },
        { "{\"type\":\"task\",\"content\":\"  \"}", "content is empty" },
        { "{\"type\":\"task\",\"content\":5}", "content must be a text" },
        { "{\"type\":\"task\",\"content\":\"a\xff\"}", "line 3: " },
        { "{\"type\":\"task\",\"content\":\"a\",\"content\":\"b\"}", "line 3: " },
        { "{\"type\":\"task\",\"content\":\"x\",\"due_date\":\"2026-02-30\"}", "due_date must be a date" },
        { "{\"type\":\"task\",\"content\":\"x\",\"completed\":2}", "completed must be true or false" },
        { "{\"type\":\"task\",\"content\":\"x\",\"repeat\":\"weekly\"}", "repeat is not a rule" },
        { "{\"type\":\"task\",\"content\":\"x\",\"remind_at\":-5}", "remind_at must be milliseconds" },
        { "{\"type\":\"task\",\"content\":\"x\",\"created_date\":\"yesterday\"}", "created_date must be a date" },
        { "{\"type\":\"task\",\"id\":0,\"content\":\"x\"}", "id must be a whole number" },
        { "{\"type\":\"task\",\"id\":9223372036854775807,\"content\":\"x\"}", "id must be a whole number" },
        { "{\"type\":\"sleep\",\"date\":\"2026-11-20\"}", "hours is missing" },
        { "{\"type\":\"sleep\",\"hours\":8}", "date is missing" },
        { "{\"type\":\"sleep\",\"date\":\"2026-11-20\",\"hours\":25}", "hours is 25; it must be 0.25 to 24 hours" },
        { "{\"type\":\"sleep\",\"date\":\"2026-11-20\",\"hours\":\"8\"}", "hours must be a number" },
        { "{\"type\":\"sleep\",\"date\":\"2026-11-20T08:00\",\"hours\":8}", "date must be a date" },
        { "{\"type\":\"sleep\",\"date\":\"2026-11-22\",\"hours\":8}", "lies in the future" },
        { "{\"type\":\"sleep\",\"date\":\"2026-11-19\",\"hours\":8}",
          "line 3: there is already a sleep log for 2026-11-19 (7.25 h)" },
        { "{\"type\":\"body\",\"date\":\"2026-11-20\"}", "needs weight_kg" },
        { "{\"type\":\"body\",\"date\":\"2026-11-20\",\"weight_kg\":19}", "weight_kg is 19" },
        { "{\"type\":\"category\",\"name\":\"a/b/c/d\"}", "line 3: " },
        { "{\"type\":\"category\",\"id\":4,\"name\":\"a\"}", "has no column \"id\"" },
        { "{\"type\":\"note\",\"id\":90,\"content\":\"a\"}\n{\"type\":\"note\",\"id\":90,\"content\":\"b\"}",
          "line 4: note 90 is already on line 3" },
        { "{\"type\":\"sleep\",\"date\":\"2026-11-20\",\"hours\":8}\n{\"type\":\"sleep\",\"date\":\"2026-11-20\","
          "\"hours\":7}",
          "line 4: there is already" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_refuses(arena_printf(arena, "%s%s\n", good, bad[i].line), bad[i].words);
    char *longest = arena_alloc(arena, TASK_CONTENT_BYTES_MAX + 2);
    memset(longest, 'x', TASK_CONTENT_BYTES_MAX + 1);
    ck_refuses(arena_printf(arena, "%s{\"type\":\"task\",\"content\":\"%s\"}", good, longest),
               "4097 bytes long; at most 4096");
    ck_import(1, arena_printf(arena, "{\"type\":\"task\",\"content\":\"%s\"}", longest + 1));
    close_both();
}
END_TEST

START_TEST(forms_of_dates)
{
    open_kind(_i);
    ck_import(
        1,
        "\xEF\xBB\xBF{\"type\":\"task\",\"content\":\"a\",\"due_date\":\"2026-11-21 17:00\","
        "\"created_date\":\"2026-11-20T10:00:00.25+02:00\",\"completed\":1,\"remind_at\":\"2026-11-21T15:00:00Z\"}\r\n"
        "{\"type\":\"note\",\"content\":\"b\",\"created_date\":\"2026-11-20\"}\r\n");
    ck_assert_str_eq(
        export_text(store, 1),
        "{\"type\":\"category\",\"name\":\"General\",\"created_date\":\"2026-11-20T08:14:00Z\"}\n"
        "{\"type\":\"task\",\"id\":1,\"content\":\"a\",\"category\":\"General\",\"due_date\":\"2026-11-21T17:00\","
        "\"created_date\":\"2026-11-20T08:00:00Z\",\"completed\":true,\"remind_at\":1795273200000}\n"
        "{\"type\":\"note\",\"id\":1,\"content\":\"b\",\"category\":\"General\",\"created_date\":\"2026-11-20T00:00:"
        "00Z\"}\n");
    close_both();
}
END_TEST

static void tick(void *arg, int64_t done, int64_t total)
{
    ck_assert_int_le(done, total);
    (*(int *)arg)++;
}

START_TEST(a_large_file)
{
    open_kind(_i);
    enum { ROWS = 3000 };
    struct import *im = import_new((int64_t)NOW_S * 1000);
    struct import_result r;
    int ticks = 0;
    for (int i = 1; i <= ROWS; i++) {
        const char *line =
            arena_printf(arena, "{\"type\":\"note\",\"id\":%d,\"content\":\"note %d\"}", ROWS - i + 1, i);
        ck_ok(import_line(im, line, strlen(line), e));
    }
    ck_ok(import_write(store, im, 1, tick, &ticks, &r, e));
    import_free(im);
    ck_assert_int_eq(r.added[EXCHANGE_NOTE], ROWS);
    ck_assert_int_gt(ticks, 3);
    /* what does not fit the buffer is said, not cut silently */
    struct buf small = BUF_INIT(1000);
    struct exchange_count count;
    struct db *db;
    ck_ok(store_read_begin(store, &db, e));
    ck_ok(exchange_export(db, 1, &small, &count, e));
    ck_assert(small.overflow);
    store_read_end(store, db);
    buf_release(&small);
    close_both();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exchange");
    TCase *both = tcase_create("both databases");
    tcase_set_timeout(both, FIXTURE_TEST_S);
    tcase_add_loop_test(both, the_same_file_comes_back, 0, 2);
    tcase_add_loop_test(both, new_rows_get_free_ids, 0, 2);
    tcase_add_loop_test(both, twice_adds_nothing, 0, 2);
    tcase_add_loop_test(both, another_person, 0, 2);
    tcase_add_loop_test(both, deleted_rows_stay_behind_and_keep_their_ids, 0, 2);
    tcase_add_loop_test(both, a_bad_line_changes_nothing, 0, 2);
    tcase_add_loop_test(both, forms_of_dates, 0, 2);
    tcase_add_loop_test(both, a_large_file, 0, 2);
    suite_add_tcase(suite, both);
    return fixture_main(suite, false);
}
