/* SPDX-License-Identifier: MIT
 * out_file: a file that a command writes: beside its place first, then synced and renamed, so that never half a file
 * stands under the name that was asked for.  Readable by its owner alone.  For the commands that export. */
#ifndef BOT_OUT_FILE_H
#define BOT_OUT_FILE_H

#include "base/arena.h"
#include "base/status.h"
#include <stdio.h>

struct out_file {
    const char *name, *temporary;
    FILE *stream; /* to write to; its errors are found by out_file_finish() */
};

/* name: borrowed until the end; NULL = standard output, which is neither synced nor renamed. */
enum status MUST_CHECK out_file_open(struct out_file *, struct arena *, const char *name, struct error *);
/* so_far OK: what was written is durable under its name, or nothing is there and the status says why.  Otherwise the
 * file is removed and so_far comes back. */
enum status MUST_CHECK out_file_finish(struct out_file *, enum status so_far, struct error *);

#endif
