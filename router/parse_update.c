/* SPDX-License-Identifier: MIT
 * parse_update: sentences that move, rename or refile a task: "move dentist to friday", "rename task 5 to …".  One
 * table of patterns; called by parse_change.c; pure.  "By two days" needs a date only the task knows: then it asks. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const char ask_change[] = "Which task should I change?";
static const char ask_time[] = "A task has one time. Which one is it?";
static const char ask_date[] = "To which date should I move it?";

/* {1} to {2}: a date when {2} is one; otherwise a new wording, when the sentence says it is about a task. */
static enum route put_date(struct sentence *s, struct span task, struct span when)
{
    struct due due;
    parse_due(s, when, false, &due);
    int64_t id[PARSE_CALLS_MAX];
    int count = due.also_count ? 0 : parse_ids(s, task, id);
    for (int k = 0; k < count && count > 1; k++) {
        struct json_object *one = parse_call(s, "update_task");
        if (!one)
            return ROUTE_NEVER;
        json_set_int(one, "task_id", id[k]);
        parse_set_due(s, one, &due, "due_date");
    }
    if (count > 1)
        return ROUTE_DONE;
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    if (parse_pronoun(s, task))
        return parse_set_due(s, arguments, &due, "due_date"), parse_asks(s, ask_change, "content");
    if (!parse_name_task(s, arguments, task))
        return ROUTE_NO;
    if (due.also_count)
        return parse_asks(s, ask_time, "due_date");
    parse_set_due(s, arguments, &due, "due_date");
    return ROUTE_DONE;
}

static enum route move_to(struct sentence *s, const struct match *m)
{
    struct span when = parse_trim(s->words, m->capture[2]), task = m->capture[1];
    if (!parse_all_date(s, when))
        return ROUTE_NO;
    struct due due; /* "move my dentist appointment on monday to friday": the old date is no part of the name */
    parse_due(s, task, false, &due);
    if (due.cuts == 1 && due.cut[0].end == parse_trim(s->words, task).end && due.cut[0].begin > task.begin)
        task.end = due.cut[0].begin;
    if (token_any(words_at(s->words, task.end - 1), "from|back|out|forward|up") && task.end - task.begin > 1)
        task.end--;
    return put_date(s, task, when);
}

/* "push task 5 back by 2 days": relative to a date only the task knows. */
static enum route move_by(struct sentence *s, const struct match *m)
{
    struct json_object *arguments = parse_call(s, "update_task");
    if (arguments)
        parse_name_task(s, arguments, m->capture[1]);
    return parse_asks(s, ask_date, "due_date");
}

/* A length of time at i that ends the span: "a week", "two hours". */
static bool length_at(const struct sentence *s, int i, int end)
{
    double v;
    int unit, n = words_amount(s->words, i, &v);
    return n && token_class(words_at(s->words, i + n), CLASS_UNIT, &unit) && i + n + 1 == end;
}

/* "push task 9 back a week". */
static enum route move_length(struct sentence *s, const struct match *m)
{
    return length_at(s, m->capture[2].begin, m->capture[2].end) ? move_by(s, m) : ROUTE_NO;
}

/* "move the vet an hour later". */
static enum route move_later(struct sentence *s, const struct match *m)
{
    struct match named = *m;
    for (int i = m->capture[1].begin + 1; i < m->capture[1].end; i++)
        if (length_at(s, i, m->capture[1].end)) {
            named.capture[1].end = i;
            return move_by(s, &named);
        }
    return ROUTE_NO;
}

static enum route snooze(struct sentence *s, const struct match *m)
{
    struct span when = parse_trim(s->words, m->capture[2]);
    const char *text = parse_text(s, when);
    struct when found;
    if (*text && !when_parse(s->arena, text, s->options, &found) &&
        !when_parse(s->arena, arena_printf(s->arena, "in %s", text), s->options, &found))
        return ROUTE_NO;
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    bool named = !parse_pronoun(s, m->capture[1]) && parse_name_task(s, arguments, m->capture[1]);
    if (!*text)
        return parse_asks(s, ask_date, "due_date");
    struct due due = { .found = true, .at = found.at };
    parse_set_due(s, arguments, &due, "due_date");
    return named ? ROUTE_DONE : parse_asks(s, ask_change, "content");
}

static enum route rename_to(struct sentence *s, const struct match *m)
{
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    if (!parse_name_task(s, arguments, m->capture[1]))
        return ROUTE_NO;
    struct span wording = parse_trim(s->words, m->capture[2]);
    wording.begin += parse_verb(s, wording, "say|be|read") * (wording.end - wording.begin > 1);
    json_set_str(arguments, "new_content", parse_text(s, parse_unquote(s->words, wording)));
    return ROUTE_DONE;
}

/* "edit task 5: …". */
static enum route rename_numbered(struct sentence *s, const struct match *m)
{
    int64_t id;
    int n = pattern_id(s->words, m->capture[1].begin, m->capture[1].end, true, &id);
    return n && m->capture[1].begin + n == m->capture[1].end ? rename_to(s, m) : ROUTE_NO;
}

/* "change task 5 to …": a date moves it, words rename it; without a number only a date is sure. */
static enum route change_to(struct sentence *s, const struct match *m)
{
    int64_t id;
    struct span task = parse_trim(s->words, m->capture[1]);
    if (parse_all_date(s, m->capture[2]))
        return put_date(s, task, m->capture[2]);
    int n = pattern_id(s->words, task.begin, task.end, false, &id);
    bool quoted = token_punct(words_at(s->words, task.begin), "\"'");
    return quoted || (n && task.begin + n == task.end) ? rename_to(s, m) : ROUTE_NO;
}

static enum route move_category(struct sentence *s, const struct match *m)
{
    const char *category = parse_category(s, m->list ? m->category : m->capture[2]);
    if (!category)
        return ROUTE_NO;
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    if (!parse_name_task(s, arguments, m->capture[1]))
        return ROUTE_NO;
    json_set_str(arguments, "category", category);
    return ROUTE_DONE;
}

/* "set task 5 to friday", "move task 5 to work": only with a number it is surely about a task. */
static enum route set_numbered(struct sentence *s, const struct match *m)
{
    int64_t id;
    struct span task = parse_trim(s->words, m->capture[1]), to = parse_trim(s->words, m->capture[2]);
    int n = pattern_id(s->words, task.begin, task.end, true, &id);
    if (!n || task.begin + n != task.end)
        return ROUTE_NO;
    if (parse_all_date(s, to))
        return put_date(s, task, to);
    return token_is(words_at(s->words, 0), "set") || to.end - to.begin > 2 ? ROUTE_NO : move_category(s, m);
}

/* "task 4 should be on sunday". */
static enum route date_numbered(struct sentence *s, const struct match *m)
{
    struct due due;
    if (!parse_all_date(s, m->capture[2]))
        return ROUTE_NO;
    parse_due(s, m->capture[2], false, &due);
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    json_set_int(arguments, "task_id", m->id);
    parse_set_due(s, arguments, &due, "due_date");
    return ROUTE_DONE;
}

/* "make task 3 repeat weekly", "set #3 to every friday". */
static enum route repeat_numbered(struct sentence *s, const struct match *m)
{
    struct due due;
    parse_due(s, m->capture[1], false, &due);
    if (!parse_all_date(s, m->capture[1]) || !due.repeat)
        return ROUTE_NO;
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    json_set_int(arguments, "task_id", m->id);
    json_set_str(arguments, "repeat", due.repeat);
    return ROUTE_DONE;
}

/* "haircut moved to 5pm": told, not ordered. */
static enum route moved_to(struct sentence *s, const struct match *m)
{
    struct span task = parse_trim(s->words, m->capture[1]);
    if (parse_has(s, task,
                  "i|i'm|i've|he|she|they|we|you|have|has|had|who|everything|anything|nothing|today|tomorrow|"
                  "not|if|when|it|this|that|there|might|may|could|would|will|can|be|is|only") ||
        task.end - task.begin > 6)
        return ROUTE_NO;
    return move_to(s, m);
}

static const struct parse_rule rules[] = {
    { "{1} (moved / has moved / was moved / got moved / has been moved / is moved / has been rescheduled / was "
      "rescheduled / got rescheduled / rescheduled / postponed / was postponed / got pushed / pushed / has been "
      "pushed) "
      "[back] (to / until / till) {2}",
      moved_to },
    { "{1} (should be / should now be / should be due / has to be / is now / is due / now is) (on / at / by / due / "
      "due "
      "on) {2} instead",
      moved_to },
    { "@id (should be / should now be / should be due / has to be / is now / is due / is) [on / at / by / for] {2}",
      date_numbered },
    { "(make / set / change) @id [to] [be] (due / due on / due by / due at) {2}", date_numbered },
    { "[make / set / change] @id [to / should / must / is to] [be] (repeat / repeating / recurring / recur / repeated) "
      "{1}",
      repeat_numbered },
    { "(make / set / change) @id [to] {1}", repeat_numbered },
    { "rename {1} (to / as / into) {2}", rename_to },
    { "(change / edit / update / set / make) [the] (text / name / title / wording / content) of {1} to {2}",
      rename_to },
    { "(change / edit / update / correct / reword / rephrase) {1} to say|read {2}", rename_to },
    { "(correct / reword / rephrase) {1} to {2}", rename_to },
    { "edit|update|change|rename {1} : {2}", rename_numbered },
    { "(change / move / set / update / push) @id [due] (date / deadline / time / day) (to / for / at) {2}",
      date_numbered },
    { "(change / move / set / update / push / make) [the] [due] (date / deadline / time / day / due date / reminder) "
      "(of / for / on) {1} to|for|at {2}",
      move_to },
    { "(push back / put off / bring forward / move / push / shift / reschedule / postpone / delay / defer / bump / put "
      "off / bring forward / push back / "
      "bring / carry / hold / kick) {1} (to / until / till / for / forward to / back to / over to / out to) {2}",
      move_to },
    { "(push back / put off / bring forward / move / push / shift / postpone / delay / defer / bump / put off / "
      "extend) {1} [back / forward / out] by {2}",
      move_by },
    { "(push / move / shift / bump / bring / put) {1} (back / forward / out) {2}", move_length },
    { "(push / move / shift / bump / bring / put) {1} (later / earlier / ahead / forward / back)", move_later },
    { "(reschedule / postpone / delay / defer) {1}", move_by },
    { "snooze {1} (for / until / till / to / by / another) {2}", snooze },
    { "snooze {1}", move_by },
    { "(move / put / file / assign) {1} (to / into / in / under) [the / my] category {2}", move_category },
    { "(move / put / file / assign) {1} (to / into / in / under) [the / my] {2} category", move_category },
    { "(move / shift) {1} (to / into / onto) @list", move_category },
    { "(set / change) [the] category of {1} to {2}", move_category },
    { "make {1} due [on / at / by] {2}", move_to },
    { "{1} (should be / is now) due [on / at / by] {2}", set_numbered },
    { "(change / update / edit) {1} to {2}", change_to },
    { "(set / make / move / put / file) {1} (to / for / in / into / under / on) {2}", set_numbered },
};

enum route parse_update(struct sentence *s, struct span span)
{
    return parse_apply(s, span, rules, sizeof rules / sizeof *rules);
}
