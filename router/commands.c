/* SPDX-License-Identifier: MIT
 * commands: the slash commands, one table row each.  A row is either a function or a tool with the argument that the
 * rest of the line fills.  Worker threads; the reply goes through the turn like any other. */
#include "base/json.h"
#include "base/text.h"
#include "router/tool_rows.h"
#include "router/turn_internal.h"
#include "store/exchange.h"
#include "store/reminders.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct command {
    const char *name;
    const char *description; /* in the menu; NULL = an alias that is not listed */
    enum status (*run)(struct turn *, const char *rest, struct error *);
    const char *tool, *argument; /* instead of run */
    const char *id_argument;     /* what a bare number fills; NULL = the argument */
    const char *usage;           /* said when the rest is missing and needed; NULL = not needed */
    const char *fallback;        /* the argument when there is no rest; NULL = none */
    const char *sentence;        /* instead: the rest behind these words is a sentence for the parser */
};

/* --- words --- */

static void examples(struct reply *r)
{
    static const char *const lines[] = {
        "buy bread tomorrow", "remind me to call mom next friday at 5pm",
        "done with bread",    "note: the wifi password is …",
        "slept 7h30",         "ran 5 km in 30 min",
        "2 glasses of water", "weight 81.4",
        "what's on my list?", "how much did I sleep last week?",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        reply_text(r, "• ");
        reply_code(r, lines[i]);
        reply_line(r);
    }
}

static enum status run_start(struct turn *t, const char *rest, struct error *e)
{
    (void)rest;
    struct reply r;
    reply_init(&r, t->arena);
    reply_bold(&r, "Hello. I keep your tasks, notes and health logs.");
    reply_gap(&r);
    reply_text(&r, "Write to me as you would to a person:");
    reply_line(&r);
    examples(&r);
    reply_gap(&r);
    reply_printf(&r,
                 "Every change can be undone for 24 hours. Your time zone is %s; /timezone changes it. /help lists the "
                 "commands.",
                 t->user.zone);
    return turn_say_reply(t, &r, e);
}

static enum status run_help(struct turn *t, const char *rest, struct error *e)
{
    (void)rest;
    struct reply r;
    reply_init(&r, t->arena);
    reply_bold(&r, "Just write, for example");
    reply_line(&r);
    examples(&r);
    reply_gap(&r);
    reply_bold(&r, "Commands");
    reply_line(&r);
    for (const struct command_info *c = command_menu(); c->name; c++) {
        reply_printf(&r, "/%s – %s", c->name, c->description);
        reply_line(&r);
    }
    reply_gap(&r);
    reply_text(&r, t->env->models->count
                       ? "A language model reads your messages; when it does not answer, the built-in parser does."
                       : "No language model is set up: the built-in parser reads your messages. Short, plain sentences "
                         "work best.");
    return turn_say_reply(t, &r, e);
}

static void put_what_leaves(const struct turn_env *env, struct reply *r)
{
    reply_bold(r, "What leaves the server");
    reply_line(r);
    if (env->models->count == 0) {
        reply_text(r, "The messages of this chat, to Telegram when you use it there. No language model is set up.");
        reply_line(r);
    }
    for (int i = 0; i < env->models->count; i++) {
        const struct model_endpoint *m = &env->models->endpoint[i];
        reply_printf(r,
                     "Your message, the last few turns of this chat, your category names and, for a question, the rows "
                     "that were found go to the model %s at ",
                     m->model);
        reply_code(r, m->base_url);
        reply_text(r, i ? ", when the one before does not answer." : ".");
        reply_line(r);
    }
    if (env->embedding_url) {
        reply_text(r,
                   "To be found by meaning, the text of your rows and your questions go to the embedding server at ");
        reply_code(r, env->embedding_url);
        reply_text(r, ".");
        reply_line(r);
    }
}

static enum status run_privacy(struct turn *t, const char *rest, struct error *e)
{
    (void)rest;
    struct reply r;
    reply_init(&r, t->arena);
    reply_bold(&r, "What is stored");
    reply_line(&r);
    reply_text(&r, "Your tasks, notes and health logs, the text of this chat, and for a week the messages as they "
                   "came, all in the database of the person who runs this bot. Only you see your rows here; whoever "
                   "runs the server can read its database.");
    reply_gap(&r);
    put_what_leaves(t->env, &r);
    reply_gap(&r);
    reply_text(&r, "/export sends you everything as a file. What you delete is hidden at once and can be restored with "
                   "/undo for 24 hours.");
    return turn_say_reply(t, &r, e);
}

/* --- the clock --- */

static enum status act_zone(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    const char *zone = t->act_arg;
    struct civil now;
    if (journal_changing(ctx->journal, "users", t->user.id, e) || user_set_zone(ctx->db, t->user.id, zone, e) ||
        reminders_move_zone(ctx->journal, t->arena, t->user.zone, zone, e) || zone_to_civil(zone, t->now_ms, &now, e))
        return e->status;
    journal_note(ctx->journal, "time zone %s", zone);
    reply_printf(&t->reply, "✓ Time zone: %s. It is %s %04d-%02d-%02d %02d:%02d there now.", zone,
                 civil_weekday_name[civil_weekday(&now)], now.year, now.month, now.day, now.hour, now.minute);
    return OK;
}

static enum status run_timezone(struct turn *t, const char *rest, struct error *e)
{
    char zone[ZONE_NAME_BYTES_MAX];
    if (!*rest)
        turn_say(t,
                 "Your time zone is %s: it is %02d:%02d there now. To change it: /timezone Europe/Berlin, or a city: "
                 "/timezone Tokyo",
                 t->user.zone, t->now.hour, t->now.minute);
    else if (!zone_find(rest, zone))
        turn_say(
            t,
            "I don't know a time zone “%.80s”. Use a name such as Europe/Berlin or America/New_York, or a large city.",
            rest);
    else {
        t->act_arg = arena_strdup(t->arena, zone);
        t->act = act_zone;
    }
    return turn_finish(t, e);
}

/* --- the file --- */

static enum status run_export(struct turn *t, const char *rest, struct error *e)
{
    (void)rest;
    enum { DOCUMENT_BYTES_MAX = DB_ROW_BYTES_MAX / 4 * 3 }; /* quotes are escaped once more in the row */
    struct buf file = BUF_INIT(DOCUMENT_BYTES_MAX);
    struct exchange_count count = { 0 };
    struct db *db;
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = exchange_export(db, t->user.id, &file, &count, e);
    store_read_end(t->env->store, db);
    if (s == OK && file.overflow)
        turn_say(
            t,
            "Your data is larger than I can send here (%d MiB). On the server, `steward export` writes it to a file.",
            DOCUMENT_BYTES_MAX / MIB);
    else if (s == OK && file.len == 0)
        turn_say(t, "There is nothing to export yet.");
    else if (s == OK) {
        t->document = arena_strndup(t->arena, buf_str(&file), file.len);
        t->document_name =
            arena_printf(t->arena, "steward-%04d-%02d-%02d.jsonl", t->now.year, t->now.month, t->now.day);
        turn_say(t, "Here is everything I keep for you: %lld rows, one JSON line each.", (long long)count.rows);
    }
    buf_release(&file);
    return s ? s : turn_finish(t, e);
}

/* "/tasks done", "/tasks this week" are the parser's; any other word is looked for in tasks and categories. */
static enum status run_tasks(struct turn *t, const char *rest, struct error *e)
{
    struct when_options o = turn_when_options(t);
    struct parse p = { 0 };
    struct error why = { 0 };
    struct json_object *args = json_keep(t->arena, json_object_new_object());
    parse_sentence(t->arena, arena_printf(t->arena, "list my tasks %s", rest), &o, &p);
    if (p.kind == PARSE_CALLS && p.call_count == 1 && tool_find(p.calls[0].tool) == &tool_list_tasks &&
        json_object_object_length(p.calls[0].arguments) > 0)
        args = p.calls[0].arguments;
    else if (*rest)
        json_set_str(args, "query", rest);
    if (turn_add_call(t, tool_list_tasks.name, args, &why)) {
        turn_say(t, "I did nothing: %s.", why.text);
        return turn_finish(t, e);
    }
    return turn_run_calls(t, e);
}

static enum status run_undo(struct turn *t, const char *rest, struct error *e)
{
    (void)rest;
    return turn_undo(t, e);
}

static enum status act_cancel(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    struct pending_key key = { t->key.channel, t->key.chat_id, t->key.user_id };
    (void)ctx;
    reply_text(&t->reply, "All right, forget it. Nothing was changed.");
    return pending_clear(ctx->db, &key, e);
}

static enum status run_cancel(struct turn *t, const char *rest, struct error *e)
{
    (void)rest;
    t->act = act_cancel;
    return turn_finish(t, e);
}

static enum status run_usage(struct turn *t, const char *rest, struct error *e)
{
    (void)rest;
    return turn_usage(t, e);
}

/* --- the table --- */

static const struct command command_table[] = {
    { "tasks", "your open tasks; /tasks shopping, /tasks done", .run = run_tasks },
    { "notes", "your notes; /notes wifi finds some", .tool = "list_notes", .argument = "query" },
    { "health", "your health logs at a glance", .tool = "ask_question", .argument = "query", .fallback = "my health" },
    { "search", "find anything: /search dentist", .tool = "ask_question", .argument = "query",
      .usage = "What should I look for? For example: /search dentist" },
    { "undo", "take back the last change", .run = run_undo },
    { "timezone", "show or set your time zone", .run = run_timezone },
    { "export", "everything as a file", .run = run_export },
    { "usage", "what the models are used for, and what it costs", .run = run_usage },
    { "agents", "what coding agents are waiting for", .run = turn_agents },
    { "quiet", "when agents' cards make no sound: /quiet 22:00-07:00", .run = turn_quiet },
    { "privacy", "what is stored and what leaves the server", .run = run_privacy },
    { "help", "examples and commands", .run = run_help },
    { "start", NULL, .run = run_start },
    { "cancel", NULL, .run = run_cancel },
    { "task", NULL, .sentence = "add task:", .usage = "What is the task? For example: /task buy bread tomorrow" },
    { "add", NULL, .sentence = "add task:", .usage = "What is the task? For example: /add buy bread tomorrow" },
    { "remind", NULL, .sentence = "remind me to",
      .usage = "What should I remind you of, and when? For example: /remind call mom friday 5pm" },
    { "note", NULL, .tool = "add_note", .argument = "content",
      .usage = "What should I note? For example: /note the key is under the mat" },
    { "done", NULL, .tool = "complete_task", .argument = "content", .id_argument = "task_id",
      .usage = "Which task? For example: /done 83 or /done bread" },
    { "delete", NULL, .tool = "delete_task", .argument = "content", .id_argument = "task_id",
      .usage = "Which task? For example: /delete 83 or /delete bread" },
    { "sleep", NULL, .sentence = "slept", .usage = "How long? For example: /sleep 7h30" },
    { "exercise", NULL, .sentence = "exercise:", .usage = "What and how long? For example: /exercise running 30 min" },
    { "water", NULL, .sentence = "drank", .usage = "How much? For example: /water 500 ml" },
    { "sauna", NULL, .sentence = "sauna", .usage = "How long? For example: /sauna 15 min at 90" },
    { "weight", NULL, .sentence = "weight", .usage = "How much? For example: /weight 81.4" },
    { "ask", NULL, .tool = "ask_question", .argument = "query",
      .usage = "What would you like to know? For example: /ask how much did I sleep last week" },
};
enum { COMMAND_COUNT = sizeof command_table / sizeof command_table[0] };

static struct command_info menu[COMMAND_COUNT + 1];
static pthread_once_t menu_once = PTHREAD_ONCE_INIT;

static void menu_make(void)
{
    int n = 0;
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (command_table[i].description) {
            menu[n].name = command_table[i].name;
            menu[n++].description = command_table[i].description;
        }
}

const struct command_info *command_menu(void)
{
    pthread_once(&menu_once, menu_make);
    return menu;
}

static enum status run_tool(struct turn *t, const struct command *c, const char *rest, struct error *e)
{
    struct error why = { 0 };
    struct json_object *args = json_keep(t->arena, json_object_new_object());
    if (!*rest && c->fallback)
        rest = c->fallback;
    if (*rest && c->argument) {
        bool is_number = strspn(rest, "0123456789") == strlen(rest) && strlen(rest) < 16;
        if (is_number && c->id_argument)
            json_set_int(args, c->id_argument, strtoll(rest, NULL, 10));
        else
            json_set_str(args, c->argument, rest);
    }
    if (turn_add_call(t, c->tool, args, &why)) {
        turn_say(t, "I did nothing: %s.", why.text);
        return turn_finish(t, e);
    }
    return turn_run_calls(t, e);
}

/* "/note_21", "/task_83": open one item. */
static bool open_item(struct turn *t, const char *name, enum status *s, struct error *e)
{
    const char *digits = strncmp(name, "note_", 5) == 0 || strncmp(name, "task_", 5) == 0 ? name + 5 : NULL;
    if (!digits || !*digits || strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 15)
        return false;
    t->in.callback_data = arena_printf(t->arena, "show:%.4s:%s", name, digits);
    *s = turn_show_item(t, e);
    return true;
}

static enum status run_command(struct turn *t, const struct command *c, const char *rest, struct error *e)
{
    if (!*rest && c->usage) {
        turn_say(t, "%s", c->usage);
        return turn_finish(t, e);
    }
    if (c->run)
        return c->run(t, rest, e);
    if (c->sentence) {
        t->text = arena_printf(t->arena, "%s %s", c->sentence, rest);
        return turn_by_parser(t, e);
    }
    return run_tool(t, c, rest, e);
}

enum status turn_by_command(struct turn *t, struct error *e)
{
    const char *text = t->text + 1;
    size_t n = strcspn(text, " \t\r\n");
    const char *rest = text_trim(arena_strdup(t->arena, text + n));
    char *name = arena_strndup(t->arena, text, n);
    enum status s = OK;
    name[strcspn(name, "@")] = '\0'; /* "/help@my_bot" */
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcasecmp(command_table[i].name, name) == 0)
            return run_command(t, &command_table[i], rest, e);
    if (open_item(t, name, &s, e))
        return s;
    turn_say(t, "There is no command /%.40s. /help lists the commands; or just write what you want.", name);
    return turn_finish(t, e);
}
