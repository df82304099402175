/* SPDX-License-Identifier: MIT
 * recall_rows: a person's tasks, notes and health logs as documents for searching.  Read on any connection; any
 * thread. */
#ifndef STORE_RECALL_ROWS_H
#define STORE_RECALL_ROWS_H

#include "store/health.h"

/* One bit per type in a mask: RECALL_BIT(RECALL_NOTE). */
enum recall_type { RECALL_TASK, RECALL_NOTE, RECALL_HEALTH, RECALL_TYPES = RECALL_HEALTH + HEALTH_KINDS };
#define RECALL_BIT(type) (1u << (type))
#define RECALL_TASKS RECALL_BIT(RECALL_TASK)
#define RECALL_NOTES RECALL_BIT(RECALL_NOTE)
#define RECALL_LOGS (((1u << HEALTH_KINDS) - 1) << RECALL_HEALTH)
#define RECALL_ALL (RECALL_TASKS | RECALL_NOTES | RECALL_LOGS)
enum { RECALL_ROWS_MAX = 250000 }; /* documents of one person: some 100 MB of index, decades of use */

const char *recall_type_name(int type); /* "task", "note", "sleep" … */
/* "tasks", "notes", "health", "all" → mask; 0 = no such name. */
unsigned recall_mask(const char *name);

struct recall_row {
    int type; /* enum recall_type + health kind */
    int64_t id;
    const char *content;      /* what the person wrote, or the log in words */
    const char *category;     /* path, "Work/Projects"; NULL = none */
    const char *date;         /* task: due, may be NULL; health: the log's day; note: NULL */
    const char *created_date; /* YYYY-MM-DDTHH:MM:SSZ */
    bool completed;
};

/* All living rows of the types, by type and id; arena-owned.  ST_LIMIT above RECALL_ROWS_MAX. */
enum status MUST_CHECK recall_rows(struct db *, struct arena *, int64_t user_id, unsigned mask, struct recall_row **out,
                                   size_t *count, struct error *);

#endif
