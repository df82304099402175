/* SPDX-License-Identifier: MIT
 * cmd_backup: `steward backup FILE` and `steward restore FILE`: the SQLite database as one verified file, beside a
 * running server, and back into a stopped one; with PostgreSQL both print the lines of its own tools instead. */
#ifndef BOT_CMD_BACKUP_H
#define BOT_CMD_BACKUP_H

extern const char cmd_backup_help[], cmd_restore_help[]; /* see command.h */
/* Exit 0: the file is written and verified, or restored; 1: not (with PostgreSQL always: it is yours to run the
 * lines); 2: wrong arguments. */
int cmd_backup(int argc, char **argv);
int cmd_restore(int argc, char **argv);

#endif
