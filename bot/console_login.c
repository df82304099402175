/* SPDX-License-Identifier: MIT
 * console_login: sessions and attempts. */
#include "bot/console_login.h"

#include "base/clock.h"
#include "base/json.h"
#include "bot/auth.h"
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_BYTES = 32,
    STRETCH_ROUNDS = 200000, /* a stolen cookie must not be a cheap way to the password */
    SESSION_S = 30 * 24 * 3600,
    COOKIE_BYTES_MAX = 160,    /* end, 16 random bytes, 32 bytes of signature, in hex */
    GUESSERS_MAX = 1024,       /* addresses remembered; the one idle longest is forgotten first */
    GUESSES_MAX = 5,           /* at once, … */
    GUESS_INTERVAL_MS = 12000, /* … then one each 12 s, per address: nobody else waits for it */
    CLIENT_BYTES = 64,
};

static const char cookie_name[] = "steward_session";

struct guesser {
    char client[CLIENT_BYTES];
    double left;
    int64_t at_ms;
};

struct console_login {
    const char *password;
    unsigned char key[KEY_BYTES];
    struct guesser guesser[GUESSERS_MAX];
};

struct console_login *console_login_new(const char *password)
{
    static const unsigned char salt[] = "steward console session 1";
    struct console_login *l = xcalloc(1, sizeof *l);
    l->password = password;
    if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, sizeof salt - 1, STRETCH_ROUNDS, EVP_sha256(),
                          KEY_BYTES, l->key) != 1)
        abort(); /* no hash function: the library is broken */
    return l;
}

void console_login_free(struct console_login *l)
{
    if (!l)
        return;
    OPENSSL_cleanse(l->key, sizeof l->key);
    free(l);
}

static void put_hex(char *out, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* hex of the signature over "END.RANDOM" */
static void sign(const struct console_login *l, const char *text, size_t len, char out[2 * KEY_BYTES + 1])
{
    unsigned char mac[KEY_BYTES];
    unsigned mac_len = KEY_BYTES;
    if (!HMAC(EVP_sha256(), l->key, KEY_BYTES, (const unsigned char *)text, len, mac, &mac_len))
        abort();
    put_hex(out, mac, KEY_BYTES);
}

static bool cookie_good(const struct console_login *l, const char *value, size_t len)
{
    char mac[2 * KEY_BYTES + 1];
    if (len <= 2 * KEY_BYTES + 1 || len > COOKIE_BYTES_MAX || value[len - 2 * KEY_BYTES - 1] != '.')
        return false;
    size_t signed_len = len - 2 * KEY_BYTES - 1;
    sign(l, value, signed_len, mac);
    if (CRYPTO_memcmp(mac, value + signed_len + 1, 2 * KEY_BYTES) != 0)
        return false;
    return strtoll(value, NULL, 10) > clock_wall_ms() / 1000;
}

bool console_login_valid(struct console_login *l, struct request *r)
{
    const char *p = request_header(r, "cookie");
    size_t name_len = sizeof cookie_name - 1;
    while (p && *p) {
        p += strspn(p, "; ");
        size_t len = strcspn(p, ";");
        if (len > name_len && strncmp(p, cookie_name, name_len) == 0 && p[name_len] == '=' &&
            cookie_good(l, p + name_len + 1, len - name_len - 1))
            return true;
        p += len;
    }
    return false;
}

static void set_cookie(struct request *r, const char *value, int max_age_s)
{
    char header[COOKIE_BYTES_MAX + 128];
    snprintf(header, sizeof header, "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s", cookie_name, value,
             max_age_s, request_is_https(r) ? "; Secure" : "");
    request_set_header(r, "set-cookie", header);
}

static void session_start(const struct console_login *l, struct request *r)
{
    unsigned char noise[16];
    char value[COOKIE_BYTES_MAX], hex[2 * sizeof noise + 1], mac[2 * KEY_BYTES + 1];
    if (RAND_bytes(noise, sizeof noise) != 1)
        abort();
    put_hex(hex, noise, sizeof noise);
    int n = snprintf(value, sizeof value, "%" PRId64 ".%s", clock_wall_ms() / 1000 + SESSION_S, hex);
    sign(l, value, (size_t)n, mac);
    snprintf(value + n, sizeof value - (size_t)n, ".%s", mac);
    set_cookie(r, value, SESSION_S);
}

/* The address's own allowance; a new address takes the place that was idle longest. */
static struct guesser *guesser_of(struct console_login *l, const char *client, int64_t now_ms)
{
    struct guesser *oldest = &l->guesser[0];
    for (int i = 0; i < GUESSERS_MAX; i++) {
        struct guesser *g = &l->guesser[i];
        if (strcmp(g->client, client) == 0) {
            g->left += (double)(now_ms - g->at_ms) / GUESS_INTERVAL_MS;
            g->left = g->left > GUESSES_MAX ? GUESSES_MAX : g->left;
            g->at_ms = now_ms;
            return g;
        }
        if (g->at_ms < oldest->at_ms)
            oldest = g;
    }
    snprintf(oldest->client, sizeof oldest->client, "%s", client);
    oldest->left = GUESSES_MAX;
    oldest->at_ms = now_ms;
    return oldest;
}

void console_login_try(struct console_login *l, struct request *r)
{
    bool here = request_from_here(r); /* the owner at the machine itself is never made to wait */
    struct guesser *g = here ? NULL : guesser_of(l, request_client(r), clock_mono_ms());
    if (g && g->left < 1) {
        request_set_header(r, "retry-after", "12");
        request_error(r, 429, "Too many attempts from your address. Please wait a moment");
        return;
    }
    struct json_object *body = request_json_body(r);
    if (!body)
        return;
    if (!secret_equal(l->password, json_str(body, "password", ""))) {
        if (g)
            g->left -= 1;
        request_error(r, 401, "That is not the password");
        return;
    }
    session_start(l, r);
    request_json(r, 200, json_object_new_object());
}

void console_login_end(struct request *r)
{
    set_cookie(r, "", 0);
    request_json(r, 200, json_object_new_object());
}
