/* SPDX-License-Identifier: MIT
 * console_page: an embedded HTML page with inline script and style, allowed by their hashes and nothing else. */
#ifndef BOT_CONSOLE_PAGE_H
#define BOT_CONSOLE_PAGE_H

#include "bot/route.h"

enum { PAGE_POLICY_BYTES = 512 };

struct html_page {
    const char *html;
    size_t len;
    char policy[PAGE_POLICY_BYTES]; /* Content-Security-Policy */
};

/* The asset must be in the binary and have one <script> and one <style>: asserted. */
void html_page_load(struct html_page *, const char *asset_name);
void html_page_answer(const struct html_page *, struct request *, int code);

#endif
