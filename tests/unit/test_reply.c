/* SPDX-License-Identifier: MIT
 * test_reply: the writer, and the cutting of long replies, checked by a reader of HTML of its own. */
#include "router/reply.h"
#include "base/graphemes.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As ck_assert_msg, which writes to a file on every call: too slow for the inside of these loops. */
#define must(condition, ...)                                                                                           \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            ck_abort_msg(#condition ": " __VA_ARGS__);                                                                 \
    } while (0)

static struct arena *arena;

static void start(void)
{
    arena = arena_new();
}

static void stop(void)
{
    arena_free(arena);
}

/* --- the writer --- */

START_TEST(reply_escapes_everything)
{
    struct reply r;
    reply_init(&r, arena);
    ck_assert(reply_empty(&r));
    reply_text(&r, "a<b & \"c\" >d'");
    reply_text(&r, NULL);
    reply_printf(&r, " %s=%d", "<x>", 7);
    reply_bold(&r, "<b>");
    reply_italic(&r, "&amp;");
    reply_code(&r, "a\"b");
    reply_pre(&r, "x<y");
    reply_quote(&r, "q", false);
    reply_quote(&r, "q", true);
    reply_bold(&r, "");
    ck_assert(!reply_empty(&r));
    ck_assert_str_eq(buf_str(&r.html), "a&lt;b &amp; &quot;c&quot; &gt;d' &lt;x&gt;=7<b>&lt;b&gt;</b><i>&amp;amp;</i>"
                                       "<code>a&quot;b</code><pre>x&lt;y</pre><blockquote>q</blockquote>"
                                       "<blockquote expandable>q</blockquote>");
    ck_assert_str_eq(html_to_plain(arena, buf_str(&r.html)), "a<b & \"c\" >d' <x>=7<b>&amp;a\"bx<yqq");
}
END_TEST

START_TEST(reply_lines_and_gaps)
{
    struct reply r;
    reply_init(&r, arena);
    reply_gap(&r);
    ck_assert_str_eq(buf_str(&r.html), "");
    reply_text(&r, "a");
    reply_gap(&r);
    reply_gap(&r);
    ck_assert_str_eq(buf_str(&r.html), "a\n\n");
    reply_text(&r, "b");
    reply_line(&r);
    reply_gap(&r);
    reply_text(&r, "c");
    ck_assert_str_eq(buf_str(&r.html), "a\n\nb\n\nc");
}
END_TEST

START_TEST(reply_buttons_append_and_json)
{
    struct reply r, other;
    reply_init(&r, arena);
    reply_init(&other, arena);
    reply_text(&r, "one");
    reply_button(&r, false, "Done <b>", "done:%d", 83);
    reply_button(&r, true, "Undo", "undo:%s", "x");
    reply_bold(&other, "two");
    reply_button(&other, true, "More", "more");
    reply_append(&r, &other);
    struct json_object *o = json_keep(arena, reply_json(&r));
    ck_assert_str_eq(json_text(arena, o), "{\"html\":\"one\\n\\n<b>two</b>\",\"buttons\":["
                                          "[{\"text\":\"Done <b>\",\"data\":\"done:83\"},"
                                          "{\"text\":\"Undo\",\"data\":\"undo:x\"}],"
                                          "[{\"text\":\"More\",\"data\":\"more\"}]]}");
    struct reply none;
    reply_init(&none, arena);
    ck_assert_str_eq(json_text(arena, json_keep(arena, reply_json(&none))), "{\"html\":\"\",\"buttons\":[]}");
}
END_TEST

START_TEST(reply_too_long_says_so)
{
    struct reply r;
    reply_init(&r, arena);
    for (int i = 0; i < 40000; i++)
        reply_bold(&r, "0123456789");
    struct json_object *o = json_keep(arena, reply_json(&r));
    const char *html = json_str(o, "html", "");
    ck_assert_uint_gt(strlen(html), REPLY_BYTES_MAX - 100);
    ck_assert_ptr_nonnull(strstr(html, "did not fit"));
    ck_assert_str_eq(html, html_tidy(arena, html));
}
END_TEST

START_TEST(reply_button_data_is_bounded)
{
    struct reply r;
    reply_init(&r, arena);
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    reply_button(&r, false, "x", "%065d", 1); /* a defect: aborts */
}
END_TEST

/* --- reading HTML --- */

static const struct {
    const char *html, *plain, *tidy; /* tidy NULL = as html */
} readings[] = {
    { "", "", NULL },
    { "plain", "plain", NULL },
    { "<b>a</b> <i>b</i>", "a b", NULL },
    { "&lt;&gt;&amp;&quot;", "<>&\"", NULL },
    { "&#65;&#x1F600;&apos;&#39;", "A😀''", "A😀''" },
    { "&#0;&#xD800;&#x110000;&nbsp;&;&", "&#0;&#xD800;&#x110000;&nbsp;&;&",
      "&amp;#0;&amp;#xD800;&amp;#x110000;&amp;nbsp;&amp;;&amp;" },
    { "a < b > c", "a < b > c", "a &lt; b &gt; c" },
    { "<script>x</script>", "<script>x</script>", "&lt;script&gt;x&lt;/script&gt;" },
    { "<a href=\"http://x/?a=1&amp;b=2\">t</a>", "t", NULL },
    { "<a href=\"a>b\">t</a>", "t", NULL },
    { "<a href=\"unterminated>t</a>", "<a href=\"unterminated>t", "&lt;a href=&quot;unterminated&gt;t" },
    { "<blockquote expandable>q</blockquote>", "q", NULL },
    { "<pre><code class=\"language-c\">x</code></pre>", "x", NULL },
    { "<b>open", "open", "<b>open</b>" },
    { "close</b>", "close", "close" },
    { "<b><i>x</b>y</i>", "xy", "<b><i>x</i></b>y" },
    { "<b></b>x<i><u></u></i>", "x", "x" },
    { "<b>a</b><b>b</b>", "ab", NULL },
    { "<B>x</b >", "x", "<B>x</B>" },
    { "<b", "<b", "&lt;b" },
    { "</b", "</b", "&lt;/b" },
    { "<b onclick>x</b>", "x", "<b onclick>x</b>" },
    { "<b =x>", "<b =x>", "&lt;b =x&gt;" },
    { "<>", "<>", "&lt;&gt;" },
    { "a\xFF"
      "b",
      "a\xEF\xBF\xBD"
      "b",
      "a\xEF\xBF\xBD"
      "b" },
};

START_TEST(html_reads_anything)
{
    const char *html = readings[_i].html, *tidy = html_tidy(arena, html);
    ck_assert_str_eq(html_to_plain(arena, html), readings[_i].plain);
    ck_assert_str_eq(tidy, readings[_i].tidy ? readings[_i].tidy : html);
    ck_assert_str_eq(html_tidy(arena, tidy), tidy);
}
END_TEST

/* --- cutting --- */

static const char **parts;
static size_t count;
static struct error err;

/* The parts joined by "|". */
static const char *split(const char *html, size_t units_max)
{
    struct buf b;
    buf_init_in(&b, arena, 1 << 24);
    ck_assert_int_eq(html_split(arena, html, units_max, 1000, &parts, &count, &err), OK);
    for (size_t i = 0; i < count; i++)
        buf_printf(&b, "%s%s", i ? "|" : "", parts[i]);
    return buf_str(&b);
}

START_TEST(split_prefers_paragraph_line_word)
{
    ck_assert_str_eq(split("", 10), "");
    ck_assert_str_eq(split(" \n\n ", 2), "");
    ck_assert_str_eq(split("short", 10), "short");
    ck_assert_str_eq(split("0123456789", 10), "0123456789");
    ck_assert_str_eq(split("01234567890", 10), "0123456789|0");
    ck_assert_str_eq(split("0123456789 x", 10), "0123456789|x");
    ck_assert_str_eq(split("0123456\n\n\nxyz", 10), "0123456|xyz");
    ck_assert_str_eq(split("aaaaa\n\nb\nc d e f", 10), "aaaaa|b\nc d e f");
    ck_assert_str_eq(split("aaaaaa\nb c d e", 10), "aaaaaa|b c d e");
    ck_assert_str_eq(split("aaaaaa b cdefgh", 10), "aaaaaa b|cdefgh");
    /* A border in the first half would waste the part. */
    ck_assert_str_eq(split("aa\n\nbbbbbbbbbbbb", 10), "aa\n\nbbbbbb|bbbbbb");
    ck_assert_str_eq(split("aaaaa      bbbbb", 8), "aaaaa|bbbbb");
    ck_assert_str_eq(split("aaaaaaaaaa          ", 10), "aaaaaaaaaa");
    ck_assert_str_eq(split("  lead", 10), "  lead");
    ck_assert_str_eq(split("aaaaaaa \n   indented", 12), "aaaaaaa|   indented");
}
END_TEST

START_TEST(split_keeps_tags_entities_and_graphemes)
{
    ck_assert_str_eq(split("<b>aaaaaa bbbbbb</b>", 8), "<b>aaaaaa</b>|<b>bbbbbb</b>");
    ck_assert_str_eq(split("<pre><code class=\"language-c\">aaaaaa\n  bbb</code></pre>", 8),
                     "<pre><code class=\"language-c\">aaaaaa</code></pre>|"
                     "<pre><code class=\"language-c\">  bbb</code></pre>");
    ck_assert_str_eq(split("<blockquote expandable>aaaaaa bbbbbb</blockquote>x", 8),
                     "<blockquote expandable>aaaaaa</blockquote>|<blockquote expandable>bbbbbb</blockquote>x");
    /* An element that ends at the cut is not opened again. */
    ck_assert_str_eq(split("<b>aaaaaa</b> <i>bbbbbb</i>", 6), "<b>aaaaaa</b>|<i>bbbbbb</i>");
    ck_assert_str_eq(split("&lt;&lt;&lt;&lt;&lt;", 2), "&lt;&lt;|&lt;&lt;|&lt;");
    ck_assert_str_eq(split("a👨‍👩‍👧‍👦b", 11), "a|👨‍👩‍👧‍👦|b");
    ck_assert_str_eq(split("a<b>👨‍👩</b>‍👧‍👦b", 11), "a|<b>👨‍👩</b>‍👧‍👦|b");
    ck_assert_str_eq(split("🇩🇪🇫🇷🇮🇹", 9), "🇩🇪🇫🇷|🇮🇹");
    ck_assert_str_eq(split("e\xCC\x81"
                           "e\xCC\x81",
                           3),
                     "e\xCC\x81|e\xCC\x81");
    /* A space that carries an accent is no border. */
    ck_assert_str_eq(split("aaaa \xCC\x81"
                           "bb",
                           4),
                     "aaaa| \xCC\x81"
                     "bb");
}
END_TEST

START_TEST(split_grapheme_longer_than_a_part)
{
    struct buf b;
    buf_init_in(&b, arena, 1 << 20);
    buf_puts(&b, "x e");
    for (int i = 0; i < 5000; i++)
        buf_puts(&b, "\xCC\x81");
    split(b.data, 4096);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_le(text_utf16_units(parts[0], strlen(parts[0])), 4096);
    ck_assert_uint_eq(strlen(parts[0]) + strlen(parts[1]), b.len);
    ck_assert(text_valid(parts[0], strlen(parts[0])));
}
END_TEST

START_TEST(split_bounds)
{
    ck_assert_int_eq(html_split(arena, "aaaa bbbb cccc", 5, 2, &parts, &count, &err), ST_LIMIT);
    ck_assert_int_eq(err.status, ST_LIMIT);
    ck_assert_int_eq(html_split(arena, "aaaa bbbb cccc", 5, 3, &parts, &count, &err), OK);
    ck_assert_int_eq(html_split(arena, "aaaa bbbb   ", 5, 2, &parts, &count, &err), OK);
    /* One tag that no message can hold. */
    struct buf b;
    buf_init_in(&b, arena, 1 << 20);
    buf_puts(&b, "<a href=\"");
    while (b.len < HTML_PART_BYTES_MAX)
        buf_puts(&b, "0123456789");
    buf_puts(&b, "\">x</a>");
    ck_assert_int_eq(html_split(arena, b.data, 4096, 20, &parts, &count, &err), ST_LIMIT);
    /* Nesting without end turns into text; nothing takes quadratic time. */
    buf_clear(&b);
    for (int i = 0; i < 50000; i++)
        buf_puts(&b, "<b>x");
    for (int i = 0; i < 50000; i++)
        buf_puts(&b, "</i>");
    ck_assert_int_eq(html_split(arena, b.data, 4096, 1000, &parts, &count, &err), OK);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(html_tidy(arena, parts[i]), parts[i]);
    ck_assert_str_eq(split("ab", 0), "ab"); /* a part holds two units at least */
}
END_TEST

START_TEST(split_raw_size_is_bounded_too)
{
    struct buf b;
    buf_init_in(&b, arena, 1 << 20);
    for (int i = 0; i < 4000; i++)
        buf_puts(&b, "<blockquote expandable>&amp;</blockquote>");
    split(b.data, 4096);
    ck_assert_uint_ge(count, 5);
    ck_assert_uint_le(count, 10);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_le(strlen(parts[i]), HTML_PART_BYTES_MAX);
}
END_TEST

/* --- the property: nothing is lost, nothing changes its look --- */

/* A visible character that is not blank, and the elements around it. */
struct glyph {
    uint32_t elements; /* a hash of the open tags, outside in */
    char byte;
};

struct reading {
    struct glyph *glyphs;
    size_t count;
    char *visible; /* with blanks */
    size_t visible_len, units;
};

static uint32_t hash(uint32_t h, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h;
}

/* Reads well-formed HTML and fails the test on any other. */
static void read_strict(const char *html, struct reading *r)
{
    struct {
        char name[16];
        uint32_t before;
    } stack[64];
    int depth = 0;
    uint32_t now = 2166136261u;
    size_t len = strlen(html);
    *r = (struct reading){ .glyphs = arena_alloc(arena, (len + 1) * sizeof *r->glyphs),
                           .visible = arena_alloc(arena, len + 1) };
    for (const char *s = html; *s;) {
        char byte = *s;
        size_t used = 1;
        if (*s == '<') {
            bool close = s[1] == '/';
            const char *name = s + 1 + close, *end = s + strcspn(s, ">");
            size_t name_len = strcspn(name, " >");
            const char *quote = strchr(s, '"'); /* an attribute may hold a ">" */
            if (quote && quote < end)
                end = strchr(quote + 1, '"') + strcspn(strchr(quote + 1, '"'), ">");
            must(*end == '>' && name_len > 0 && name_len < 16, "bad tag: %.40s", s);
            if (close) {
                must(depth-- > 0, "stray close: %.40s", s);
                must(strlen(stack[depth].name) == name_len && strncmp(stack[depth].name, name, name_len) == 0,
                     "crossing: %.40s", s);
                now = stack[depth].before;
            } else {
                must(depth < 64, "%s", html);
                snprintf(stack[depth].name, sizeof stack[depth].name, "%.*s", (int)name_len, name);
                stack[depth++].before = now;
                now = hash(now, s, (size_t)(end - s));
            }
            s = end + 1;
            continue;
        }
        must(*s != '>' && *s != '"', "unescaped: %.40s", s);
        if (*s == '&') {
            static const char *const names[] = { "&amp;", "&lt;", "&gt;", "&quot;" };
            size_t i = 0;
            while (i < 4 && strncmp(s, names[i], strlen(names[i])) != 0)
                i++;
            must(i < 4, "cut entity: %.20s", s);
            byte = "&<>\""[i];
            used = strlen(names[i]);
        }
        r->visible[r->visible_len++] = byte;
        if (!strchr(" \n\t", byte))
            r->glyphs[r->count++] = (struct glyph){ .elements = now, .byte = byte };
        s += used;
    }
    must(depth == 0, "%s", html);
    r->units = text_utf16_units(r->visible, r->visible_len);
    must(text_valid(r->visible, r->visible_len), "%s", html);
}

/* Bit i is set when a grapheme of s may end before byte i. */
static bool *borders(const char *s, size_t len)
{
    bool *is = arena_alloc(arena, len + 1);
    struct graphemes g;
    size_t at = 0, next;
    is[0] = true;
    graphemes_open(&g, s, len);
    while ((next = graphemes_next(&g)) > at)
        is[at = next] = true;
    graphemes_close(&g);
    return is;
}

static void check_parts(const char *html, size_t units_max)
{
    struct reading whole, part;
    size_t seen = 0, at = 0;
    read_strict(html_tidy(arena, html), &whole);
    const bool *border = borders(whole.visible, whole.visible_len);
    for (size_t i = 0; i < count; i++) {
        read_strict(parts[i], &part);
        must(part.units <= units_max, "%s", html);
        must(strlen(parts[i]) <= HTML_PART_BYTES_MAX, "%s", html);
        must(part.count > 0, "%s", html);
        must(seen + part.count <= whole.count, "%s", html);
        for (size_t g = 0; g < part.count; g++, seen++) {
            must(part.glyphs[g].byte == whole.glyphs[seen].byte, "%s", html);
            must(part.glyphs[g].elements == whole.glyphs[seen].elements, "%s", html);
        }
        /* The part stands in the source as it is, between two borders, behind blanks. */
        while (at < whole.visible_len && (at + part.visible_len > whole.visible_len ||
                                          memcmp(whole.visible + at, part.visible, part.visible_len) != 0)) {
            must(strchr(" \n\t", whole.visible[at]), "not in the source: %s", parts[i]);
            at++;
        }
        must(at < whole.visible_len, "%s", html);
        must(border[at] && border[at + part.visible_len], "cut in a grapheme: %s", parts[i]);
        at += part.visible_len;
    }
    must(seen == whole.count, "%s", html);
}

static unsigned seed;

static size_t any(size_t below)
{
    return (size_t)rand_r(&seed) % below;
}

static void random_text(struct buf *b)
{
    static const char *const words[] = { "a",         "word",        "Überraschung",
                                         "&amp;",     "&lt;tag&gt;", "👨‍👩‍👧‍👦",
                                         "🇩🇪",        "e\xCC\x81",   "日本語",
                                         "👍🏽",  "&quot;",      "नमस्ते",
                                         "&#128512;", "x",           "-" };
    static const char *const gaps[] = { " ", " ", " ", "\n", "\n\n", "", "", "  \n  ", "\t" };
    for (size_t n = any(12); n > 0; n--) {
        if (any(25) == 0)
            buf_printf(b, "%0*d", (int)any(90) + 1, 7);
        buf_puts(b, words[any(sizeof words / sizeof *words)]);
        buf_puts(b, gaps[any(sizeof gaps / sizeof *gaps)]);
    }
}

static void random_element(struct buf *b, int depth)
{
    static const char *const tags[][2] = { { "<b>", "</b>" },       { "<i>", "</i>" },
                                           { "<code>", "</code>" }, { "<blockquote expandable>", "</blockquote>" },
                                           { "<pre>", "</pre>" },   { "<a href=\"http://x/?a=1&amp;b=2\">", "</a>" } };
    random_text(b);
    for (size_t n = any(4); n > 0 && depth < 6; n--) {
        size_t tag = any(sizeof tags / sizeof *tags);
        buf_puts(b, tags[tag][0]);
        random_element(b, depth + 1);
        buf_puts(b, tags[tag][1]);
        random_text(b);
    }
}

START_TEST(split_property_on_random_documents)
{
    for (int round = 0; round < 400; round++) {
        struct buf b = BUF_INIT(1 << 16);
        seed = (unsigned)(_i * 1000 + round + 1);
        random_element(&b, 0);
        size_t units_max = 12 + any(200); /* the longest grapheme has 11 */
        ck_assert_msg(html_split(arena, buf_str(&b), units_max, 5000, &parts, &count, &err) == OK, "%s", err.text);
        check_parts(buf_str(&b), units_max);
        buf_release(&b);
        arena_free(arena);
        arena = arena_new();
    }
}
END_TEST

START_TEST(split_property_on_any_bytes)
{
    static const char *const pieces[] = { "<",          ">",       "/",           "&",        "b",    "i",   "<b>",
                                          "</b>",       "<i>",     "</i>",        "\"",       "=",    " ",   "\n",
                                          "&lt;",       "&#",      "x41;",        ";",        "\xFF", "€",   "\xF0",
                                          "<a href=\"", "<pre x=", "👨‍👩", "\xCC\x81", "\r",   "\x01" };
    for (int round = 0; round < 2000; round++) {
        struct buf b = BUF_INIT(1 << 16);
        seed = (unsigned)(_i * 10000 + round + 1);
        for (size_t n = any(60); n > 0; n--)
            buf_puts(&b, pieces[any(sizeof pieces / sizeof *pieces)]);
        const char *tidy = html_tidy(arena, buf_str(&b));
        must(strcmp(html_tidy(arena, tidy), tidy) == 0, "%s", buf_str(&b));
        must(strcmp(html_to_plain(arena, tidy), html_to_plain(arena, buf_str(&b))) == 0, "%s", buf_str(&b));
        for (size_t units_max = 1; units_max < 40; units_max += 7) {
            must(html_split(arena, buf_str(&b), units_max, 500, &parts, &count, &err) == OK, "%s", buf_str(&b));
            for (size_t i = 0; i < count; i++) {
                const char *plain = html_to_plain(arena, parts[i]);
                must(text_utf16_units(plain, strlen(plain)) <= (units_max < 2 ? 2 : units_max), "%s", plain);
                must(strcmp(html_tidy(arena, parts[i]), parts[i]) == 0, "%s", parts[i]);
            }
        }
        buf_release(&b);
        arena_free(arena);
        arena = arena_new();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reply");
    TCase *tcase = tcase_create("reply");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_test(tcase, reply_escapes_everything);
    tcase_add_test(tcase, reply_lines_and_gaps);
    tcase_add_test(tcase, reply_buttons_append_and_json);
    tcase_add_test(tcase, reply_too_long_says_so);
    tcase_add_test_raise_signal(tcase, reply_button_data_is_bounded, SIGABRT);
    tcase_add_loop_test(tcase, html_reads_anything, 0, sizeof readings / sizeof *readings);
    tcase_add_test(tcase, split_prefers_paragraph_line_word);
    tcase_add_test(tcase, split_keeps_tags_entities_and_graphemes);
    tcase_add_test(tcase, split_grapheme_longer_than_a_part);
    tcase_add_test(tcase, split_bounds);
    tcase_add_test(tcase, split_raw_size_is_bounded_too);
    tcase_add_loop_test(tcase, split_property_on_random_documents, 0, 4);
    tcase_add_loop_test(tcase, split_property_on_any_bytes, 0, 4);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
