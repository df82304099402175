/* SPDX-License-Identifier: MIT
 * cmd_doctor: `steward doctor`: every setting with its value (secrets masked), then the real counterparts asked: the
 * database, the disk, a clock, Telegram and its group, each model and the embedding server.  One line each: ok, warning
 * or failure, with the mend.  A check is a row in cmd_doctor.c. */
#ifndef BOT_CMD_DOCTOR_H
#define BOT_CMD_DOCTOR_H

/* Exit 0: no failure (there may be warnings); 1: a failure. */
extern const char cmd_doctor_help[]; /* see command.h */
int cmd_doctor(int argc, char **argv);

#endif
