/* SPDX-License-Identifier: MIT
 * ask_read: the body of POST /send, checked field by field, as a request that is not stored yet.  Pure but for random
 * numbers; any thread. */
#include "router/ask.h"

#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NUMBERS_SHOWN = 4, APPROVERS_MAX = 32 };
#define DURATION_MAX_MS (366LL * 24 * 3600 * 1000)

/* One reading: what it reads from, into what, and where it complains. */
struct reading {
    struct arena *a;
    struct json_object *body;
    struct agent_request *r;
    struct error *e;
};

/* A text field, cleaned; *out stays as it is when the field is absent or null. */
static enum status read_text(struct reading *x, const char *name, size_t bytes_max, const char **out)
{
    struct json_object *v = json_at(x->body, name);
    if (!v)
        return OK;
    if (!json_object_is_type(v, json_type_string))
        return fail(x->e, ST_INVALID, "%s must be a string", name);
    if ((size_t)json_object_get_string_len(v) > bytes_max)
        return fail(x->e, ST_INVALID, "%s is longer than %zu bytes", name, bytes_max);
    *out = text_clean(x->a, json_object_get_string(v), (size_t)json_object_get_string_len(v));
    return OK;
}

static enum status read_flag(struct reading *x, const char *name, bool *out)
{
    struct json_object *v = json_at(x->body, name);
    if (v && !json_object_is_type(v, json_type_boolean))
        return fail(x->e, ST_INVALID, "%s must be true or false", name);
    *out = json_flag(x->body, name, false);
    return OK;
}

/* Seconds as a number, or "90s", "30m", "24h", "2d", "never" (-1). */
static bool duration_ms(struct json_object *v, int64_t *ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 }, { '\0', 1000 } };
    const char *text = json_object_get_string(v);
    char *end;
    if (strcasecmp(text, "never") == 0) {
        *ms = -1;
        return true;
    }
    double n = strtod(text, &end);
    if (end == text || !(n >= 0) || n > 1e9 || (*end && end[1]))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].unit == *end) {
            *ms = (int64_t)(n * (double)units[i].ms);
            return true;
        }
    return false;
}

static enum status read_duration(struct reading *x, const char *name, int64_t least_ms, int64_t *ms)
{
    struct json_object *v = json_at(x->body, name);
    if (!v)
        return OK;
    if (json_object_is_type(v, json_type_boolean) || json_object_is_type(v, json_type_object) ||
        json_object_is_type(v, json_type_array) || !duration_ms(v, ms))
        return fail(x->e, ST_INVALID, "%s must be seconds, or like \"90s\", \"30m\", \"24h\", \"2d\", \"never\"", name);
    if (*ms >= 0 && *ms < least_ms)
        return fail(x->e, ST_INVALID, "%s must be at least %lld seconds", name, (long long)least_ms / 1000);
    if (*ms > DURATION_MAX_MS)
        return fail(x->e, ST_INVALID, "%s must be at most 366 days; \"never\" is possible", name);
    return OK;
}

static enum status read_type(struct reading *x)
{
    static const char *const types[] = { "blocking", "milestone", "error", "heartbeat" };
    const char *type = NULL;
    if (read_text(x, "type", 32, &type))
        return x->e->status;
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0) {
            x->r->type = types[i];
            return OK;
        }
    return fail(x->e, ST_INVALID, "type must be one of blocking, milestone, error, heartbeat");
}

static enum status read_request_id(struct reading *x)
{
    const char *id = NULL;
    if (read_text(x, "request_id", ASK_ID_BYTES_MAX, &id))
        return x->e->status;
    if (!id) {
        unsigned char random[12];
        if (RAND_bytes(random, sizeof random) != 1)
            return fail(x->e, ST_INTERNAL, "the system has no random numbers");
        char *made = arena_alloc(x->a, 2 * sizeof random + 5);
        hex_put(stpcpy(made, "req-"), random, sizeof random);
        x->r->request_id = made;
        return OK;
    }
    for (const char *p = id; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("._:-", *p)))
            return fail(x->e, ST_INVALID, "request_id may hold letters, digits and . _ : - only");
    if (!*id)
        return fail(x->e, ST_INVALID, "request_id is empty");
    x->r->request_id = id;
    return OK;
}

/* --- buttons --- */

/* Labels that refuse, whatever the question ("Stop" or "Block" may be the very deed): choosing them needs neither a
 * number nor a second person. */
static bool label_refuses(const char *label)
{
    static const char *const words[] = { "no", "deny", "cancel", "reject", "refuse", "don't", "nein" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(label, words[i]) == 0)
            return true;
    return false;
}

static enum status read_button(struct reading *x, struct json_object *in, int i, struct json_object *out)
{
    static const char *const styles[] = { "primary", "success", "danger" };
    struct reading b = { x->a, in, x->r, x->e };
    const char *label = NULL, *value = NULL, *style = NULL;
    bool safe = false, known = false;
    if (json_object_is_type(in, json_type_string)) {
        label = text_clean(x->a, json_object_get_string(in), (size_t)json_object_get_string_len(in));
    } else if (!json_object_is_type(in, json_type_object)) {
        return fail(x->e, ST_INVALID, "buttons[%d] must be a string or an object with a label", i);
    } else if (read_text(&b, "label", 4 * ASK_LABEL_UNITS_MAX, &label) ||
               read_text(&b, "value", ASK_VALUE_BYTES_MAX, &value) || read_text(&b, "style", 32, &style) ||
               read_flag(&b, "safe", &safe)) {
        return fail_context(x->e, "buttons[%d]", i);
    }
    label = label ? text_trim((char *)label) : "";
    if (!*label || text_utf16_units(label, strlen(label)) > ASK_LABEL_UNITS_MAX)
        return fail(x->e, ST_INVALID, "buttons[%d] needs a label of 1 to %d characters", i, ASK_LABEL_UNITS_MAX);
    for (size_t s = 0; style && s < sizeof styles / sizeof *styles; s++)
        known |= strcmp(style, styles[s]) == 0;
    if (style && !known)
        return fail(x->e, ST_INVALID, "buttons[%d].style must be primary, success or danger", i);
    json_set_str(out, "label", text_unspoof(x->a, label));
    json_set_str(out, "value", value ? value : label);
    if (style)
        json_set_str(out, "style", style);
    json_set_bool(out, "safe", json_has(in, "safe") ? safe : label_refuses(label));
    return OK;
}

static bool value_taken(struct json_object *list, const char *value)
{
    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (strcmp(json_str(json_object_array_get_idx(list, i), "value", ""), value) == 0)
            return true;
    return false;
}

static enum status read_buttons(struct reading *x)
{
    struct json_object *in = json_at(x->body, "buttons"), *list = json_keep(x->a, json_object_new_array());
    if (in && !json_object_is_type(in, json_type_array))
        return fail(x->e, ST_INVALID, "buttons must be a list");
    size_t count = in ? json_object_array_length(in) : 0;
    if (count > ASK_BUTTONS_MAX)
        return fail(x->e, ST_INVALID, "at most %d buttons fit on a card", ASK_BUTTONS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_keep(x->a, json_object_new_object());
        if (read_button(x, json_object_array_get_idx(in, i), (int)i, one))
            return x->e->status;
        if (value_taken(list, json_str(one, "value", "")))
            return fail(x->e, ST_INVALID, "buttons[%zu] has the value of another button", i);
        json_push(list, json_object_get(one));
    }
    x->r->buttons = json_text(x->a, list);
    if (count && strcmp(x->r->type, "blocking") != 0)
        return fail(x->e, ST_INVALID, "only a blocking request has buttons");
    return OK;
}

/* --- who and how --- */

bool ask_is_allowed(int64_t id)
{
    for (int i = 0; i < ask_settings()->allowed_count; i++)
        if (ask_settings()->allowed[i] == id)
            return true;
    return false;
}

static enum status read_approvers(struct reading *x, int *people)
{
    struct json_object *list = json_at(x->body, "approvers");
    *people = ask_settings()->allowed_count;
    if (!list)
        return OK;
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    if (count == 0 || count > APPROVERS_MAX)
        return fail(x->e, ST_INVALID, "approvers must be a list of 1 to %d Telegram ids", APPROVERS_MAX);
    const char *out = ",";
    *people = 0;
    for (size_t i = 0; i < count; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        int64_t id = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : 0;
        if (!ask_is_allowed(id))
            return fail(x->e, ST_INVALID, "approvers[%zu] is not one of TELEGRAM_USER_ID", i);
        if (ask_has(out, id))
            continue;
        out = arena_printf(x->a, "%s%lld,", out, (long long)id);
        ++*people;
    }
    x->r->approvers = out;
    return OK;
}

static enum status read_quorum(struct reading *x)
{
    int people;
    struct json_object *v = json_at(x->body, "quorum");
    x->r->quorum = 1;
    if (read_approvers(x, &people))
        return x->e->status;
    if (!v)
        return OK;
    int64_t n = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : 0;
    if (n < 1 || n > (people > 0 ? people : 1))
        return fail(x->e, ST_INVALID, "quorum must be between 1 and the number of people who may answer (%d)", people);
    if (n > 1 && x->r->multi)
        return fail(x->e, ST_INVALID, "multi and a quorum above 1 exclude each other");
    if (n > 1 && strcmp(x->r->buttons, "[]") == 0)
        return fail(x->e, ST_INVALID, "a quorum needs buttons to vote with");
    x->r->quorum = (int)n;
    return OK;
}

/* Two digits, and what the phone offers: the right one among others, in no order. */
static enum status draw_numbers(struct reading *x)
{
    int drawn[NUMBERS_SHOWN] = { 0 }, count = 0;
    while (count < NUMBERS_SHOWN) {
        unsigned char byte;
        if (RAND_bytes(&byte, 1) != 1)
            return fail(x->e, ST_INTERNAL, "the system has no random numbers");
        int n = 10 + byte % 90;
        bool taken = byte >= 180; /* 180 = 2 × 90: no number is likelier than another */
        for (int i = 0; i < count; i++)
            taken |= drawn[i] == n;
        if (!taken)
            drawn[count++] = n;
    }
    x->r->code = arena_printf(x->a, "%d", drawn[0]);
    const char *list = ",";
    for (int i = 1; i < count; i++) /* the draw was random: sorting hides which came first */
        for (int j = i; j > 0 && drawn[j - 1] > drawn[j]; j--) {
            int swap = drawn[j];
            drawn[j] = drawn[j - 1];
            drawn[j - 1] = swap;
        }
    for (int i = 0; i < count; i++)
        list = arena_printf(x->a, "%s%d,", list, drawn[i]);
    x->r->numbers = list;
    return OK;
}

static enum status read_risk(struct reading *x)
{
    const char *risk = "normal";
    if (read_text(x, "risk", 32, &risk))
        return x->e->status;
    if (strcmp(risk, "normal") == 0)
        return OK;
    if (strcmp(risk, "high") != 0)
        return fail(x->e, ST_INVALID, "risk must be normal or high");
    if (strcmp(x->r->buttons, "[]") == 0 || x->r->multi)
        return fail(x->e, ST_INVALID, "risk high needs buttons (and not multi): the number is picked after the button");
    return draw_numbers(x);
}

static enum status read_quiet(struct reading *x)
{
    struct json_object *v = json_at(x->body, "quiet");
    int from, until;
    if (!v)
        return OK;
    if (json_object_is_type(v, json_type_boolean)) {
        x->r->quiet = json_object_get_boolean(v) ? "on" : "off";
        return OK;
    }
    if (read_text(x, "quiet", 32, &x->r->quiet) || ask_quiet_parse(x->r->quiet, &from, &until, x->e))
        return fail_context(x->e, "quiet");
    return OK;
}

/* A button by its value or label, or any words.  What needs a number or several people is not given by the clock. */
static enum status read_default(struct reading *x)
{
    struct ask_option option[ASK_BUTTONS_MAX];
    const char *given = NULL;
    bool safe = false;
    int count = ask_options(x->a, x->r, option), found = -1;
    if (read_text(x, "default", ASK_VALUE_BYTES_MAX, &given))
        return x->e->status;
    for (int i = 0; given && i < count && found < 0; i++)
        found = strcmp(option[i].value, given) == 0 ? i : -1;
    for (int i = 0; given && i < count && found < 0; i++)
        found = strcmp(option[i].label, given) == 0 ? i : -1;
    if (found >= 0)
        safe = option[found].safe;
    if (given && !safe && (x->r->code || x->r->quorum > 1))
        return fail(x->e, ST_INVALID,
                    "default must be a button that is safe when the risk is high or a quorum is asked");
    x->r->default_answer = found >= 0 ? option[found].value : given;
    return OK;
}

static enum status read_times(struct reading *x)
{
    int64_t expires_ms = ASK_EXPIRES_DEFAULT_MS, remind_ms = 0;
    if (read_duration(x, "expires_in", 1000, &expires_ms) ||
        read_duration(x, "remind_every", ASK_REMIND_MIN_MS, &remind_ms))
        return x->e->status;
    x->r->expires_at_ms = expires_ms; /* from now: ask_put() makes an instant of it */
    x->r->remind_every_ms = remind_ms > 0 ? remind_ms : 0;
    return read_default(x);
}

/* One line, shown on the card and to the browser: NULL = none. */
static const char *file_name(struct arena *a, const char *given)
{
    char *name = arena_strdup(a, text_unspoof(a, given));
    for (char *p = name; *p; p++)
        if (strchr("\n\t/\\\"", *p))
            *p = '_';
    name = text_trim(name);
    return *name ? name : NULL;
}

static enum status read_words(struct reading *x)
{
    struct agent_request *r = x->r;
    r->project = "unknown";
    if (read_text(x, "project", 4 * ASK_PROJECT_UNITS_MAX, &r->project) ||
        read_text(x, "message", ASK_MESSAGE_BYTES_MAX, &r->message) ||
        read_text(x, "details", ASK_DETAILS_BYTES_MAX, &r->details) ||
        read_text(x, "details_name", 128, &r->details_name))
        return x->e->status;
    r->project = text_unspoof(x->a, text_trim((char *)arena_strdup(x->a, r->project)));
    if (!*r->project || text_utf16_units(r->project, strlen(r->project)) > ASK_PROJECT_UNITS_MAX)
        return fail(x->e, ST_INVALID, "project must have 1 to %d characters", ASK_PROJECT_UNITS_MAX);
    r->message = r->message ? text_trim((char *)r->message) : "";
    if (!*r->message)
        return fail(x->e, ST_INVALID, "message is missing or empty");
    r->message = text_unspoof(x->a, r->message);
    if (r->details_name)
        r->details_name = file_name(x->a, r->details_name);
    if (r->details && !*r->details)
        r->details = NULL;
    if (r->details)
        r->details = text_unspoof(x->a, r->details);
    return OK;
}

const char *ask_hash(struct arena *a, const char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char *hex = arena_alloc(a, 65);
    EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL);
    hex_put(hex, digest, 32);
    return hex;
}

/* What makes two bodies the same question: everything but the id, whatever the order of the fields. */
static const char *content_hash(struct arena *a, struct json_object *body, const char *origin)
{
    struct json_object *rest = json_keep(a, json_object_new_object());
    json_object_object_foreach(body, key, value)
    {
        if (strcmp(key, "request_id") != 0)
            json_object_object_add(rest, key, json_object_get(value));
    }
    return ask_hash(a, arena_printf(a, "%s\n%s", origin, json_canonical(a, rest)));
}

enum status ask_read(struct arena *a, struct json_object *body, const char *origin, struct agent_request *r,
                     struct error *e)
{
    struct reading x = { a, body, r, e };
    memset(r, 0, sizeof *r);
    r->origin = origin;
    if (!json_object_is_type(body, json_type_object))
        return fail(e, ST_INVALID, "the body must be a JSON object");
    if (read_type(&x) || read_request_id(&x) || read_words(&x) || read_buttons(&x) || read_flag(&x, "multi", &r->multi))
        return e->status;
    if (r->multi && strcmp(r->buttons, "[]") == 0)
        return fail(e, ST_INVALID, "multi needs buttons to choose from");
    if (read_quorum(&x) || read_risk(&x) || read_quiet(&x) || read_times(&x))
        return e->status;
    r->content_hash = content_hash(a, body, origin);
    return OK;
}
