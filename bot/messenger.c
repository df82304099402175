/* SPDX-License-Identifier: MIT
 * messenger: the set of messengers of this process.  Filled by main before threads start. */
#include "bot/messenger.h"

#include <assert.h>
#include <string.h>

const struct messenger *messenger_find(const struct messengers *set, const char *channel)
{
    for (int i = 0; i < set->count; i++)
        if (strcmp(set->row[i]->channel, channel) == 0)
            return set->row[i];
    return NULL;
}

void messenger_add(struct messengers *set, const struct messenger *messenger)
{
    assert(set->count < MESSENGERS_MAX && !messenger_find(set, messenger->channel));
    set->row[set->count++] = messenger;
}
