/* SPDX-License-Identifier: MIT
 * Files that commands write: whole under their name, or not there at all. */
#include "bot/out_file.h"
#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static struct arena *arena;
static struct error e;

static void begin(void)
{
    strcpy(folder, "/tmp/out_file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    arena = arena_new();
    e = (struct error){ 0 };
}

static const char *path_of(const char *name)
{
    return arena_printf(arena, "%s/%s", folder, name);
}

static int entries(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2; /* . and .. */
}

static void end(void)
{
    unlink(path_of("x"));
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left behind */
    arena_free(arena);
}

static void write_as(const char *name, const char *text)
{
    struct out_file f;
    ck_assert_int_eq(out_file_open(&f, arena, name, &e), OK);
    fputs(text, f.stream);
    ck_assert_int_eq(out_file_finish(&f, OK, &e), OK);
}

static void reads(const char *name, const char *text)
{
    char got[64] = "";
    FILE *f = fopen(name, "r");
    ck_assert_ptr_nonnull(f);
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    fclose(f);
    ck_assert_str_eq(got, text);
}

START_TEST(what_was_written_is_there_for_its_owner_alone)
{
    struct stat st;
    write_as(path_of("x"), "one");
    reads(path_of("x"), "one");
    ck_assert_int_eq(stat(path_of("x"), &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    write_as(path_of("x"), "two");
    reads(path_of("x"), "two");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(a_failure_leaves_what_was_there)
{
    struct out_file f;
    write_as(path_of("x"), "one");
    ck_assert_int_eq(out_file_open(&f, arena, path_of("x"), &e), OK);
    fputs("half", f.stream);
    reads(path_of("x"), "one");
    ck_assert_int_eq(out_file_finish(&f, ST_UNAVAILABLE, &e), ST_UNAVAILABLE);
    reads(path_of("x"), "one");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(a_place_that_does_not_take_it_is_named)
{
    struct out_file f;
    ck_assert_int_eq(out_file_open(&f, arena, path_of("none/x"), &e), ST_INTERNAL);
    ck_assert_ptr_nonnull(strstr(e.text, "none/x"));
    ck_assert_int_eq(mkdir(path_of("d"), 0700), 0);
    ck_assert_int_eq(out_file_open(&f, arena, path_of("d"), &e), OK);
    ck_assert_int_eq(out_file_finish(&f, OK, &e), ST_INTERNAL); /* a folder stands there */
    ck_assert_ptr_nonnull(strstr(e.text, "put in place"));
    ck_assert_int_eq(rmdir(path_of("d")), 0);
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
    struct out_file f = { .name = path_of("x"), .temporary = path_of("x.tmp"), .stream = fopen("/dev/full", "w") };
    ck_assert_ptr_nonnull(f.stream);
    fputs("more than nothing", f.stream);
    ck_assert_int_eq(out_file_finish(&f, OK, &e), ST_INTERNAL);
    ck_assert_int_eq(entries(), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("out_file");
    TCase *t = tcase_create("out_file");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, what_was_written_is_there_for_its_owner_alone);
    tcase_add_test(t, a_failure_leaves_what_was_there);
    tcase_add_test(t, a_place_that_does_not_take_it_is_named);
    tcase_add_test(t, a_full_disk_is_an_error);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
