/* SPDX-License-Identifier: MIT
 * cmd_doctor: `steward doctor`: every setting with its value (secrets masked), then the real counterparts asked: the
 * database, Telegram, each model.  One line each: ok, warning or failure, with the mend. */
#ifndef BOT_CMD_DOCTOR_H
#define BOT_CMD_DOCTOR_H

/* Exit 0: all well; 1: a failure; 3: warnings only. */
int cmd_doctor(int argc, char **argv);

#endif
