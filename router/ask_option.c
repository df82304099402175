/* SPDX-License-Identifier: MIT
 * ask_option: a request's buttons and its lists of numbers, out of their columns.  Pure; any thread. */
#include "router/ask.h"

#include "base/json.h"
#include <stdio.h>
#include <string.h>

bool ask_has(const char *list, int64_t n)
{
    char item[24];
    snprintf(item, sizeof item, ",%lld,", (long long)n);
    return list && strstr(list, item);
}

int ask_options(struct arena *a, const struct agent_request *r, struct ask_option out[ASK_BUTTONS_MAX])
{
    struct json_object *list;
    if (json_parse_in(a, r->buttons, strlen(r->buttons), &list, NULL) || !list)
        return 0;
    int count = (int)json_object_array_length(list);
    for (int i = 0; i < count && i < ASK_BUTTONS_MAX; i++) {
        struct json_object *b = json_object_array_get_idx(list, (size_t)i);
        out[i] = (struct ask_option){ json_str(b, "label", ""), json_str(b, "value", ""), json_str(b, "style", NULL),
                                      json_flag(b, "safe", false) };
    }
    return count < ASK_BUTTONS_MAX ? count : ASK_BUTTONS_MAX;
}
