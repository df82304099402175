/* SPDX-License-Identifier: MIT
 * console_login: the console password: signed sessions and limits on guessing.  Loop thread.
 * A session is a cookie with its end and a signature under a key stretched from the password: it survives a restart, is
 * valid on every instance, and ends for everybody when the password changes.  A second cookie lasts a year and only
 * lets a browser that was in before guess apart from its address. */
#ifndef BOT_CONSOLE_LOGIN_H
#define BOT_CONSOLE_LOGIN_H

#include "bot/route.h"

struct console_login;

struct console_login *console_login_new(const char *password); /* takes about 0.1 s on purpose */
void console_login_free(struct console_login *);
bool console_login_valid(struct console_login *, struct request *);    /* has a good cookie */
void console_login_try(struct console_login *, struct request *);      /* POST {"password"}: answers */
void console_login_remember(struct console_login *, struct request *); /* before answering one who is in */
void console_login_end(struct request *);                              /* answers; the session cookie is gone */

#endif
