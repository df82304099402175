/* SPDX-License-Identifier: MIT
 * console_login: signed cookies and attempts.
 * A session cookie opens the page.  A device cookie only says that this browser once knew the password: its attempts
 * are counted apart, so that strangers behind the same address (a proxy's, an office's) cannot keep the owner waiting.
 */
#include "bot/console_login.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/json.h"
#include "bot/attempts.h"
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
    NOISE_BYTES = 16,
    COOKIE_BYTES_MAX = 160,    /* end, NOISE_BYTES, KEY_BYTES of signature, in hex */
    GUESSES_MAX = 5,           /* at once, … */
    GUESS_INTERVAL_MS = 12000, /* … then one each 12 s, per address or device: nobody else waits for it */
    GUESSER_BYTES_MAX = COOKIE_BYTES_MAX + 8,
};

static const struct cookie {
    const char *name, *path;
    int lasts_s;
} session_cookie = { "steward_session", "/", 30 * 24 * 3600 },
  device_cookie = { "steward_device", "/", 365 * 24 * 3600 };

struct console_login {
    const char *password;
    unsigned char key[KEY_BYTES];
    struct attempts *guesses;
};

struct console_login *console_login_new(const char *password)
{
    static const unsigned char salt[] = "steward console session 1";
    struct console_login *l = xcalloc(1, sizeof *l);
    l->password = password;
    l->guesses = attempts_new(GUESSES_MAX, GUESS_INTERVAL_MS);
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
    attempts_free(l->guesses);
    free(l);
}

/* --- cookies: NAME=END.NOISE.SIGNATURE --- */

/* hex of the signature over "NAME=END.NOISE": a cookie of one kind is none of the other */
static void sign(const struct console_login *l, const struct cookie *kind, const char *text, size_t len,
                 char out[2 * KEY_BYTES + 1])
{
    unsigned char mac[KEY_BYTES];
    unsigned mac_len = KEY_BYTES;
    char signed_text[COOKIE_BYTES_MAX + 32];
    int n = snprintf(signed_text, sizeof signed_text, "%s=%.*s", kind->name, (int)len, text);
    if (!HMAC(EVP_sha256(), l->key, KEY_BYTES, (const unsigned char *)signed_text, (size_t)n, mac, &mac_len))
        abort();
    hex_put(out, mac, KEY_BYTES);
}

static bool cookie_good(const struct console_login *l, const struct cookie *kind, const char *value, size_t len)
{
    char mac[2 * KEY_BYTES + 1];
    if (len <= 2 * KEY_BYTES + 1 || len > COOKIE_BYTES_MAX || value[len - 2 * KEY_BYTES - 1] != '.')
        return false;
    size_t signed_len = len - 2 * KEY_BYTES - 1;
    sign(l, kind, value, signed_len, mac);
    if (CRYPTO_memcmp(mac, value + signed_len + 1, 2 * KEY_BYTES) != 0)
        return false;
    return strtoll(value, NULL, 10) > clock_wall_ms() / 1000;
}

/* The good cookie of this kind; its length, 0 = the request has none. */
static size_t cookie_find(const struct console_login *l, const struct cookie *kind, struct request *r, const char **out)
{
    const char *p = request_header(r, "cookie");
    size_t name_len = strlen(kind->name);
    while (p && *p) {
        p += strspn(p, "; ");
        size_t len = strcspn(p, ";");
        if (len > name_len && strncmp(p, kind->name, name_len) == 0 && p[name_len] == '=' &&
            cookie_good(l, kind, p + name_len + 1, len - name_len - 1)) {
            *out = p;
            return len;
        }
        p += len;
    }
    return 0;
}

bool console_login_valid(struct console_login *l, struct request *r)
{
    const char *value;
    return cookie_find(l, &session_cookie, r, &value) > 0;
}

static void cookie_set(struct request *r, const struct cookie *kind, const char *value, int lasts_s)
{
    char header[COOKIE_BYTES_MAX + 128];
    snprintf(header, sizeof header, "%s=%s; Path=%s; HttpOnly; SameSite=Strict; Max-Age=%d%s", kind->name, value,
             kind->path, lasts_s, request_is_https(r) ? "; Secure" : "");
    request_set_header(r, "set-cookie", header);
}

static void cookie_give(const struct console_login *l, const struct cookie *kind, struct request *r)
{
    unsigned char noise[NOISE_BYTES];
    char value[COOKIE_BYTES_MAX], hex[2 * NOISE_BYTES + 1], mac[2 * KEY_BYTES + 1];
    if (RAND_bytes(noise, sizeof noise) != 1)
        abort();
    hex_put(hex, noise, sizeof noise);
    int n = snprintf(value, sizeof value, "%" PRId64 ".%s", clock_wall_ms() / 1000 + kind->lasts_s, hex);
    sign(l, kind, value, (size_t)n, mac);
    snprintf(value + n, sizeof value - (size_t)n, ".%s", mac);
    cookie_set(r, kind, value, kind->lasts_s);
}

/* --- logging in and out --- */

/* Who is guessing: a browser that was in before, else the address. */
static void guesser_name(const struct console_login *l, struct request *r, char out[GUESSER_BYTES_MAX])
{
    const char *cookie;
    size_t len = cookie_find(l, &device_cookie, r, &cookie);
    if (len)
        snprintf(out, GUESSER_BYTES_MAX, "%.*s", (int)len, cookie);
    else
        snprintf(out, GUESSER_BYTES_MAX, "%s", request_client(r));
}

void console_login_try(struct console_login *l, struct request *r)
{
    char guesser[GUESSER_BYTES_MAX], after[16];
    bool here = request_from_here(r); /* the owner at the machine itself is never made to wait */
    int64_t now_ms = clock_mono_ms();
    guesser_name(l, r, guesser);
    int wait_s = here ? 0 : attempts_wait_s(l->guesses, guesser, now_ms);
    if (wait_s) {
        snprintf(after, sizeof after, "%d", wait_s);
        request_set_header(r, "retry-after", after);
        request_error(r, 429, "Too many attempts from your address. Please wait a moment");
        return;
    }
    struct json_object *body = request_json_body(r);
    if (!body)
        return;
    if (!secret_equal(l->password, json_str(body, "password", ""))) {
        if (!here)
            attempts_failed(l->guesses, guesser, now_ms);
        request_error(r, 401, "That is not the password");
        return;
    }
    cookie_give(l, &session_cookie, r);
    request_json(r, 200, json_object_new_object());
}

void console_login_remember(struct console_login *l, struct request *r)
{
    const char *cookie;
    if (!cookie_find(l, &device_cookie, r, &cookie))
        cookie_give(l, &device_cookie, r);
}

void console_login_end(struct request *r)
{
    cookie_set(r, &session_cookie, "", 0);
    request_json(r, 200, json_object_new_object());
}
