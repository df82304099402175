/* SPDX-License-Identifier: MIT
 * hook_questions: AskUserQuestion, the one tool whose permission is an answer.
 * Each of its questions becomes a card with its options as buttons; the answers go back as a map from question to
 * label. Called by hook_claude.c; pure. */
#include "base/buf.h"
#include "base/text.h"
#include "router/hook_internal.h"
#include <stdint.h>
#include <string.h>

/* No bare numbers: a person may write "2" and mean the option that is called so. */
#define OPTION_PREFIX "option-"
_Static_assert(HOOK_BUTTONS_MAX <= 9, "an option's number is one digit");

static struct json_object *question_at(const struct hook *hook, int i)
{
    return json_object_array_get_idx(json_at(hook->body, "tool_input.questions"), (size_t)i);
}

static enum status read_option(struct arena *arena, struct json_object *option, struct hook_question *q,
                               struct buf *text, struct error *e)
{
    const char *label = json_str(option, "label", NULL), *why = json_str(option, "description", "");
    if (!label || !*label)
        return fail(e, ST_INVALID, "Every option in \"tool_input.questions\" needs a \"label\".");
    const char *shown = hook_label(arena, label, HOOK_LABEL_UNITS_MAX);
    if (*why || strcmp(shown, label) != 0) /* what the button cannot hold stands in the text */
        buf_printf(text, "\n• %s%s%s", label, *why ? ": " : "", why);
    const char *preview = json_str(option, "preview", "");
    if (*preview)
        buf_printf(text, "\n%s", preview);
    if (!*shown)
        return fail(e, ST_INVALID, "A \"label\" in \"tool_input.questions\" is blank.");
    hook_add_button(q, shown, arena_printf(arena, OPTION_PREFIX "%d", q->button_count + 1), NULL, false);
    return OK;
}

static enum status read_options(struct arena *arena, struct json_object *question, struct hook_question *q,
                                struct buf *text, struct error *e)
{
    struct json_object *options = json_at(question, "options");
    size_t count = json_object_is_type(options, json_type_array) ? json_object_array_length(options) : 0;
    enum status s = OK;
    if (count < 1 || count > HOOK_BUTTONS_MAX)
        return fail(e, ST_INVALID, "A question in \"tool_input.questions\" needs 1 to %d \"options\".",
                    HOOK_BUTTONS_MAX);
    for (size_t i = 0; s == OK && i < count; i++)
        s = read_option(arena, json_object_array_get_idx(options, i), q, text, e);
    return s;
}

static enum status read_question(struct arena *arena, const struct hook *hook, struct json_object *question,
                                 struct hook_question *q, struct error *e)
{
    const char *asked = json_str(question, "question", NULL), *header = json_str(question, "header", "");
    struct buf text = BUF_INIT(HOOK_TEXT_BYTES_MAX);
    if (!asked || !*asked)
        return fail(e, ST_INVALID, "Every entry of \"tool_input.questions\" needs a \"question\".");
    buf_puts(&text, asked);
    enum status s = read_options(arena, question, q, &text, e);
    const char *agent = hook_agent(arena, hook);
    const char *title = *header
                            ? arena_printf(arena, "%s asks: %s", agent, hook_label(arena, header, HOOK_LABEL_UNITS_MAX))
                            : arena_printf(arena, "%s asks", agent);
    q->multi = json_flag(question, "multiSelect", false);
    q->free_text = true;
    hook_compose(arena, title, buf_str(&text), &q->message, &q->details, &q->details_name);
    buf_release(&text);
    if (s == OK && q->details && strlen(q->details) > HOOK_TEXT_BYTES_MAX)
        return fail(e, ST_LIMIT, "A question in \"tool_input.questions\" is too large to be shown whole.");
    return s;
}

enum status hook_read_questions(struct arena *arena, struct hook *hook, struct error *e)
{
    struct json_object *questions = json_at(hook->body, "tool_input.questions");
    size_t count = json_object_is_type(questions, json_type_array) ? json_object_array_length(questions) : 0;
    enum status s = OK;
    if (count < 1 || count > HOOK_QUESTIONS_MAX)
        return fail(e, ST_INVALID, "\"tool_input.questions\" must hold 1 to %d questions.", HOOK_QUESTIONS_MAX);
    for (size_t i = 0; s == OK && i < count; i++)
        s = read_question(arena, hook, question_at(hook, (int)i), &hook->questions[i], e);
    hook->question_count = (int)count;
    hook->kind = HOOK_ASK;
    return s;
}

/* --- answers --- */

/* Put the label of option `value` (its first len bytes) to b; false = there is none. */
static bool put_label(struct buf *b, struct json_object *question, const char *value, size_t len)
{
    struct json_object *options = json_at(question, "options");
    size_t prefix = strlen(OPTION_PREFIX), i = len == prefix + 1 ? (size_t)(value[prefix] - '1') : SIZE_MAX;
    if (strncmp(value, OPTION_PREFIX, prefix) != 0 || i >= json_object_array_length(options))
        return false;
    buf_printf(b, "%s%s", b->len ? ", " : "", json_str(json_object_array_get_idx(options, i), "label", ""));
    return true;
}

/* The labels of "option-1, option-3"; NULL when a value is none of the options, or there are several and one was asked
 * for. */
static const char *labels_of(struct arena *arena, struct json_object *question, const char *value, bool multi)
{
    struct buf b;
    buf_init_in(&b, arena, HOOK_TEXT_BYTES_MAX);
    for (int n = 0; n == 0 || (*value && n < HOOK_BUTTONS_MAX); n++) {
        size_t len = strcspn(value, ",");
        if ((n > 0 && !multi) || !put_label(&b, question, value, len))
            return NULL;
        value += len;
        value += strspn(value, ", ");
    }
    return *value || b.overflow ? NULL : buf_str(&b);
}

struct json_object *hook_answered_input(struct arena *arena, const struct hook *hook, const struct hook_answer *answers,
                                        int count, const char **why)
{
    struct json_object *map = json_object_new_object(), *input = json_object_new_object();
    for (int i = 0; i < hook->question_count; i++) {
        struct json_object *question = question_at(hook, i);
        const char *text = NULL;
        *why = i >= count ? "Denied: not every question was answered." : hook_no_answer(arena, &answers[i]);
        if (!*why && answers[i].free_text)
            text = answers[i].value;
        else if (!*why)
            text = labels_of(arena, question, answers[i].value, hook->questions[i].multi);
        if (!text) {
            *why = *why ? *why : "Denied: the answer is none of the choices.";
            json_object_put(map);
            json_object_put(input);
            return NULL;
        }
        json_set_str(map, json_str(question, "question", ""), text);
    }
    json_object_object_foreach(json_at(hook->body, "tool_input"), name, value)
    {
        json_set(input, name, json_object_get(value));
    }
    json_set(input, "answers", map);
    return input;
}
