/* SPDX-License-Identifier: MIT
 * console_file: GET /console/file?id=N: a document the bot sent to the page (an export), as a download. */
#ifndef BOT_CONSOLE_FILE_H
#define BOT_CONSOLE_FILE_H

#include "bot/console_reader.h"

void console_file_send(struct console_reader *, struct request *);

#endif
