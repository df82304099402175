/* SPDX-License-Identifier: MIT
 * ask_token: callback data of a card's buttons: opaque, signed, at most 64 bytes, bound to one card and one choice.
 * "ask:" and base64url of nonce (16 bytes), verb, two arguments, and the first 16 bytes of HMAC-SHA256 over the rest.
 * The card's row says which request and chat it belongs to.  Pure. */
#ifndef ROUTER_ASK_TOKEN_H
#define ROUTER_ASK_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum ask_verb {
    ASK_CHOOSE = 'c', /* a: option */
    ASK_NUMBER = 'n', /* a: option, b: the number */
    ASK_BACK = 'b',   /* from the numbers to the options */
    ASK_TICK = '+',   /* multi; a: option */
    ASK_UNTICK = '-', /* multi; a: option */
    ASK_SUBMIT = 's', /* multi */
    ASK_WRITE = 'w',  /* the console: the next message is the answer */
};
struct ask_token {
    char nonce[33]; /* 32 hex digits */
    enum ask_verb verb;
    int a, b; /* 0–255 */
};
enum { ASK_TOKEN_BYTES = 64 };

void ask_token_write(const unsigned char key[32], const struct ask_token *, char out[ASK_TOKEN_BYTES]);
/* false: not made by this steward.  Takes the same time wherever a signature differs. */
bool ask_token_read(const unsigned char key[32], const char *data, struct ask_token *);

#endif
