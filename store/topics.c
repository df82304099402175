/* SPDX-License-Identifier: MIT
 * topics: see topics.h.  A topic is 'wanted' (its row is in the outbox), 'open' (it has a thread) or 'none' (goes
 * without until retry_at).  Whoever changes one locks its row first and touches the outbox second, everywhere in this
 * order. */
#include "store/topics.h"

#include "base/json.h"
#include "base/text.h"
#include "store/outbox.h"
#include <string.h>

static const char *cut_name(struct arena *a, const char *name)
{
    return arena_strndup(a, name, text_prefix_utf16(name, strlen(name), TOPIC_NAME_UNITS_MAX));
}

/* What topic_for knows of its topic. */
struct found {
    int64_t id, retry_at_ms;
    const char *state;
};

/* Locked until the end of the transaction, so that nobody settles its row meanwhile.  f->id 0: there is none. */
static enum status find(struct db *db, struct arena *a, const char *channel, int64_t chat_id, const char *project,
                        struct topic *t, struct found *f, struct error *e)
{
#define FIND                                                                                                           \
    "SELECT id, COALESCE(thread_id, 0), name, state, COALESCE(retry_at, 0) FROM topics"                                \
    " WHERE channel = $1 AND chat_id = $2 AND project = $3"
    struct stmt *s =
        db_query(db, db_dialect(db, FIND, FIND " FOR UPDATE"), p_text(channel), p_int(chat_id), p_text(project));
    *f = (struct found){ .state = "" };
    while (db_step(s)) {
        f->id = db_int(s, 0);
        f->state = arena_strdup(a, db_text(s, 3));
        f->retry_at_ms = db_int(s, 4);
        t->thread_id = db_int(s, 1);
        t->name = arena_strdup(a, db_text(s, 2));
    }
    return db_done(s, e);
}

/* Did this chat as a whole say no, not long ago? */
static enum status chat_refuses(struct db *db, const char *channel, int64_t chat_id, int64_t now_ms, bool *refuses,
                                struct error *e)
{
    int64_t one;
    return db_get_int(db, &one, refuses, e,
                      "SELECT 1 FROM topics WHERE channel = $1 AND chat_id = $2 AND state = 'none'"
                      " AND why IN ('forum', 'rights') AND retry_at > $3 LIMIT 1",
                      p_text(channel), p_int(chat_id), p_int(now_ms));
}

/* The row that makes the topic.  The topic's row is locked. */
static enum status put_row(struct db *db, struct arena *a, int64_t topic_id, int priority, int64_t now_ms,
                           struct error *e)
{
    struct outbox_row row = { .kind = "topic", .priority = priority, .topic_id = topic_id };
    struct json_object *payload = json_keep(a, json_object_new_object());
    struct stmt *s = db_query(db,
                              "UPDATE topics SET state = 'wanted', thread_id = NULL, retry_at = NULL, why = NULL,"
                              " tries = tries + 1 WHERE id = $1 RETURNING channel, chat_id, name, tries",
                              p_int(topic_id));
    while (db_step(s)) {
        row.channel = arena_strdup(a, db_text(s, 0));
        row.chat_id = db_int(s, 1);
        json_set_str(payload, "name", cut_name(a, db_text(s, 2)));
        row.dedupe_key = arena_printf(a, "topic:%lld:%lld", (long long)topic_id, (long long)db_int(s, 3));
    }
    if (db_done(s, e))
        return e->status;
    json_set_int(payload, "topic", topic_id);
    row.payload = json_text(a, payload);
    return outbox_put(db, &row, now_ms, NULL, e);
}

/* The row of a wanted topic goes out with what matters most of the rows that wait for it. */
static enum status raise(struct db *db, struct arena *a, int64_t topic_id, int priority, int64_t now_ms,
                         struct error *e)
{
    int64_t standing;
    bool found;
    if (db_get_int(db, &standing, &found, e,
                   "SELECT priority FROM outbox WHERE topic_id = $1 AND kind = 'topic'"
                   " AND state IN ('available', 'sending') ORDER BY priority LIMIT 1",
                   p_int(topic_id)))
        return e->status;
    if (!found) /* nobody would ever make it */
        return put_row(db, a, topic_id, priority, now_ms, e);
    return standing > priority ? outbox_raise_topic(db, topic_id, priority, e) : OK;
}

enum status topic_for(struct db *db, struct arena *a, const char *channel, int64_t chat_id, const char *project,
                      int priority, int64_t now_ms, struct topic *t, struct error *e)
{
    struct found f;
    bool refuses = false;
    *t = (struct topic){ 0 };
    if (chat_id >= 0 || strcmp(channel, "telegram") != 0 || !*project)
        return OK;
    if (find(db, a, channel, chat_id, project, t, &f, e))
        return e->status;
    if (strcmp(f.state, "open") != 0 && strcmp(f.state, "wanted") != 0) {
        if (chat_refuses(db, channel, chat_id, now_ms, &refuses, e))
            return e->status;
        if (refuses || f.retry_at_ms > now_ms) {
            *t = (struct topic){ 0 };
            return OK;
        }
    }
    if (!f.id) {
        if (db_run(db, e,
                   "INSERT INTO topics (channel, chat_id, project, name, state, created_at)"
                   " VALUES ($1, $2, $3, $4, 'none', $5) ON CONFLICT DO NOTHING",
                   p_text(channel), p_int(chat_id), p_text(project), p_text(cut_name(a, project)), p_int(now_ms)) ||
            find(db, a, channel, chat_id, project, t, &f, e))
            return e->status;
    }
    t->id = f.id;
    t->project = arena_strdup(a, project);
    if (strcmp(f.state, "open") == 0)
        return OK;
    if (strcmp(f.state, "wanted") == 0)
        return raise(db, a, f.id, priority, now_ms, e);
    return put_row(db, a, f.id, priority, now_ms, e);
}

enum status topic_renamed(struct db *db, const char *channel, int64_t chat_id, int64_t thread_id, const char *name,
                          struct error *e)
{
    if (!*name)
        return OK;
    return db_run(db, e, "UPDATE topics SET name = $4 WHERE channel = $1 AND chat_id = $2 AND thread_id = $3",
                  p_text(channel), p_int(chat_id), p_int(thread_id), p_text(name));
}

static enum status chat_reset(struct db *db, const char *channel, int64_t chat_id, const char *why, struct error *e)
{
    return db_run(db, e,
                  "UPDATE topics SET retry_at = NULL, why = NULL WHERE channel = $1 AND chat_id = $2"
                  " AND state = 'none' AND why = $3",
                  p_text(channel), p_int(chat_id), p_text(why));
}

enum status topic_chat_is_forum(struct db *db, const char *channel, int64_t chat_id, struct error *e)
{
    return chat_reset(db, channel, chat_id, "forum", e);
}

enum status topic_chat_rights(struct db *db, const char *channel, int64_t chat_id, struct error *e)
{
    return chat_reset(db, channel, chat_id, "rights", e);
}

/* ---- what became of it ---- */

enum status topic_made(struct db *db, int64_t topic_id, int64_t thread_id, int64_t *changed, struct error *e)
{
    return db_run_changed(db, changed, e,
                          "UPDATE topics SET state = 'open', thread_id = $2, retry_at = NULL, why = NULL WHERE id = $1"
                          " AND (state = 'wanted' OR (state = 'none' AND why = 'failed'))",
                          p_int(topic_id), p_int(thread_id));
}

static const struct refusal_row {
    const char *why;
    bool whole_chat;
    int64_t retry_ms;
} refusal_table[] = {
    [TOPIC_POSSIBLE] = { NULL, false, 0 },
    [TOPIC_NO_FORUM] = { "forum", true, TOPIC_RETRY_MS },
    [TOPIC_NO_RIGHTS] = { "rights", true, TOPIC_RETRY_MS },
    [TOPIC_LOST_OFTEN] = { "lost", false, TOPIC_RETRY_MS },
    [TOPIC_FAILED] = { "failed", false, TOPIC_RETRY_FAILED_MS },
};

enum status topic_refused(struct db *db, int64_t topic_id, enum topic_refusal refusal, int64_t now_ms, struct error *e)
{
    const struct refusal_row *r = &refusal_table[refusal];
    if (db_run(db, e, "UPDATE topics SET state = 'none', thread_id = NULL, why = $2, retry_at = $3 WHERE id = $1",
               p_int(topic_id), p_text(r->why), p_int(now_ms + r->retry_ms)))
        return e->status;
    if (!r->whole_chat)
        return OK;
    /* The others that wait in this chat would hear the same. */
    if (db_run(db, e,
               "UPDATE topics SET state = 'none', why = $2, retry_at = $3 WHERE state = 'wanted' AND (channel, chat_id)"
               " = (SELECT t.channel, t.chat_id FROM topics t WHERE t.id = $1)",
               p_int(topic_id), p_text(r->why), p_int(now_ms + r->retry_ms)))
        return e->status;
    return db_run(db, e,
                  "DELETE FROM outbox WHERE kind = 'topic' AND state = 'available' AND topic_id <> $1"
                  " AND (channel, chat_id) = (SELECT t.channel, t.chat_id FROM topics t WHERE t.id = $1)",
                  p_int(topic_id));
}

enum status topic_lost(struct db *db, struct arena *a, int64_t topic_id, int64_t thread_id, int priority,
                       int64_t now_ms, struct error *e)
{
    int64_t lost = 0, waiting;
    bool ours, any;
    enum status s = db_get_int(db, &lost, &ours, e,
                               "UPDATE topics SET lost = CASE WHEN lost_since > $3 THEN lost + 1 ELSE 1 END,"
                               " lost_since = CASE WHEN lost_since > $3 THEN lost_since ELSE $4 END"
                               " WHERE id = $1 AND thread_id = $2 AND state = 'open' RETURNING lost",
                               p_int(topic_id), p_int(thread_id), p_int(now_ms - TOPIC_LOST_WINDOW_MS), p_int(now_ms));
    if (s != OK || !ours)
        return s;
    if (lost > TOPIC_LOST_MAX)
        return topic_refused(db, topic_id, TOPIC_LOST_OFTEN, now_ms, e);
    if (db_get_int(db, &waiting, &any, e,
                   "SELECT priority FROM outbox WHERE topic_id = $1 AND state IN ('available', 'sending')"
                   " ORDER BY priority LIMIT 1",
                   p_int(topic_id)))
        return e->status;
    return put_row(db, a, topic_id, any && waiting < priority ? (int)waiting : priority, now_ms, e);
}

/* A project that both ids know (the group was written to under its new id already) keeps the topic of the new one. */
static enum status move_twins(struct db *db, const char *table, const char *channel, int64_t from, int64_t to,
                              struct arena *a, struct error *e)
{
    const char *sql =
        arena_printf(a,
                     "UPDATE %s SET topic_id = (SELECT n.id FROM topics o JOIN topics n ON n.channel = o.channel AND"
                     " n.chat_id = $3 AND n.project = o.project WHERE o.id = %s.topic_id) WHERE topic_id IN (SELECT"
                     " o.id FROM topics o JOIN topics n ON n.channel = o.channel AND n.chat_id = $3 AND n.project ="
                     " o.project WHERE o.channel = $1 AND o.chat_id = $2)",
                     table, table);
    return db_run(db, e, sql, p_text(channel), p_int(from), p_int(to));
}

enum status topic_move_chat(struct db *db, const char *channel, int64_t from, int64_t to, struct error *e)
{
    struct arena *a = arena_new();
    enum status s;
    (void)((s = move_twins(db, "outbox", channel, from, to, a, e)) ||
           (s = move_twins(db, "cards", channel, from, to, a, e)) ||
           (s = db_run(db, e,
                       "DELETE FROM topics WHERE channel = $1 AND chat_id = $2 AND project IN (SELECT n.project FROM"
                       " topics n WHERE n.channel = $1 AND n.chat_id = $3)",
                       p_text(channel), p_int(from), p_int(to))) ||
           /* A group that becomes a supergroup may have topics now: what was refused is asked again. */
           (s = db_run(db, e,
                       "UPDATE topics SET chat_id = $3, retry_at = NULL, why = NULL WHERE channel = $1 AND chat_id = "
                       "$2",
                       p_text(channel), p_int(from), p_int(to))));
    arena_free(a);
    return s;
}
