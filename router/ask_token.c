/* SPDX-License-Identifier: MIT
 * ask_token: see ask_token.h.  Called by card_text.c (writing) and ask_answer.c and ask_find.c (reading). */
#include "router/ask_token.h"

#include "base/hex.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { NONCE_BYTES = 16, SIGNED_BYTES = NONCE_BYTES + 3, MAC_BYTES = 16, RAW_BYTES = SIGNED_BYTES + MAC_BYTES };
enum { TEXT_CHARS = (RAW_BYTES * 8 + 5) / 6 }; /* base64 without padding */

#define PREFIX "ask:"
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void mac_of(const unsigned char key[32], const unsigned char *raw, unsigned char mac[MAC_BYTES])
{
    static const unsigned char purpose[16] = "steward button"; /* this key signs nothing else */
    unsigned char message[sizeof purpose + SIGNED_BYTES], digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    memcpy(message, purpose, sizeof purpose);
    memcpy(message + sizeof purpose, raw, SIGNED_BYTES);
    HMAC(EVP_sha256(), key, 32, message, sizeof message, digest, &len);
    memcpy(mac, digest, MAC_BYTES);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

void ask_token_write(const unsigned char key[32], const struct ask_token *t, char out[ASK_TOKEN_BYTES])
{
    unsigned char raw[RAW_BYTES + 2] = { 0 };
    size_t n = sizeof PREFIX - 1;
    for (int i = 0; i < NONCE_BYTES; i++)
        raw[i] = (unsigned char)(hex_digit(t->nonce[2 * i]) << 4 | hex_digit(t->nonce[2 * i + 1]));
    raw[NONCE_BYTES] = (unsigned char)t->verb;
    raw[NONCE_BYTES + 1] = (unsigned char)t->a;
    raw[NONCE_BYTES + 2] = (unsigned char)t->b;
    mac_of(key, raw, raw + SIGNED_BYTES);
    memcpy(out, PREFIX, n);
    for (int bit = 0; bit < TEXT_CHARS * 6; bit += 6) {
        unsigned pair = (unsigned)raw[bit / 8] << 8 | raw[bit / 8 + 1];
        out[n++] = alphabet[pair >> (10 - bit % 8) & 63];
    }
    out[n] = '\0';
}

/* Exactly TEXT_CHARS of the alphabet and nothing after; the unused last bits are zero. */
static bool decode(const char *text, unsigned char raw[RAW_BYTES])
{
    unsigned bits = 0, have = 0;
    size_t n = 0;
    if (strlen(text) != TEXT_CHARS)
        return false;
    for (; *text; text++) {
        const char *at = strchr(alphabet, *text);
        if (!at)
            return false;
        bits = (bits << 6 | (unsigned)(at - alphabet)) & 0xffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            raw[n++] = (unsigned char)(bits >> have);
        }
    }
    return n == RAW_BYTES && (bits & ((1u << have) - 1)) == 0;
}

bool ask_token_read(const unsigned char key[32], const char *data, struct ask_token *t)
{
    unsigned char raw[RAW_BYTES + 1], mac[MAC_BYTES];
    if (!data || strncmp(data, PREFIX, sizeof PREFIX - 1) != 0 || !decode(data + sizeof PREFIX - 1, raw))
        return false;
    mac_of(key, raw, mac);
    if (CRYPTO_memcmp(mac, raw + SIGNED_BYTES, MAC_BYTES) != 0)
        return false;
    hex_put(t->nonce, raw, NONCE_BYTES);
    t->verb = (enum ask_verb)raw[NONCE_BYTES];
    t->a = raw[NONCE_BYTES + 1];
    t->b = raw[NONCE_BYTES + 2];
    return true;
}
