/* SPDX-License-Identifier: MIT
 * fuzz_token: any bytes as the data of a tap.  Only what was written with the key is read, each token has one spelling,
 * and a changed one is none. */
#include "base/arena.h"
#include "router/ask.h"
#include "router/ask_token.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const unsigned char key[32] = "the key of the fuzzer's buttons";

static void check_foreign(const char *text)
{
    struct ask_token t;
    char again[ASK_TOKEN_BYTES];
    ask_is_tap(text);
    if (!ask_token_read(key, text, &t))
        return;
    ask_token_write(key, &t, again);
    if (strcmp(text, again) != 0)
        abort();
}

/* 19 bytes are a token; the next two change one of its characters. */
static void check_changed(const unsigned char *data)
{
    static const char hex[] = "0123456789abcdef";
    struct ask_token t = { .verb = (enum ask_verb)data[16], .a = data[17], .b = data[18] }, back;
    char text[ASK_TOKEN_BYTES];
    for (int i = 0; i < 16; i++) {
        t.nonce[2 * i] = hex[data[i] >> 4];
        t.nonce[2 * i + 1] = hex[data[i] & 15];
    }
    ask_token_write(key, &t, text);
    if (!ask_is_tap(text) || !ask_token_read(key, text, &back) || strcmp(t.nonce, back.nonce) != 0 ||
        t.verb != back.verb || t.a != back.a || t.b != back.b)
        abort();
    char *at = &text[data[19] % strlen(text)], was = *at;
    *at = (char)data[20];
    if (*at != was && ask_token_read(key, text, &back))
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena *a = arena_new();
    check_foreign(arena_strndup(a, (const char *)data, size));
    if (size >= 21)
        check_changed(data);
    arena_free(a);
    return 0;
}
