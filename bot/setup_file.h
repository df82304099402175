/* SPDX-License-Identifier: MIT
 * setup_file: reading a settings file of somebody else's program and replacing it whole: backup first, then a new file
 * under the old name in one step.  Used by cmd_setup alone; main thread. */
#ifndef BOT_SETUP_FILE_H
#define BOT_SETUP_FILE_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

struct setup_file {
    const char *path;   /* symbolic links followed: a link stays a link */
    const char *text;   /* "" when there is no such file */
    const char *backup; /* set by setup_file_write(); NULL = there was nothing to save */
    bool exists;
};

/* ST_LIMIT: larger than any settings. */
enum status MUST_CHECK setup_file_read(struct arena *, const char *path, struct setup_file *out, struct error *);
/* Its JSON object; an absent or empty file gives an empty one.  Released with the arena.
 * ST_INVALID: not JSON, with the place; nothing was changed. */
enum status MUST_CHECK setup_file_json(struct arena *, const struct setup_file *, struct json_object **out,
                                       struct error *);
/* Saves the old content beside it (.bak-YYYYMMDD-HHMMSS), then puts `text` in its place: whole or not at all.
 * Missing folders are made. */
enum status MUST_CHECK setup_file_write(struct arena *, struct setup_file *, const char *text, struct error *);

#endif
