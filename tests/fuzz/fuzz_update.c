/* SPDX-License-Identifier: MIT
 * Foreign bytes on the webhook: the envelope, and what the turn reads from a body that passed it. */
#include "bot/update.h"
#include "router/incoming.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena *a = arena_new();
    struct inbox_update u;
    struct incoming in;
    struct error e;
    bool wanted;
    if (update_envelope(a, (const char *)data, size, &u, &wanted, &e) == OK && wanted)
        if (incoming_read(a, u.channel, u.body, "my_bot", 500, &in, &e))
            abort(); /* what was taken in must be readable */
    arena_free(a);
    return 0;
}
