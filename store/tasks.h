/* SPDX-License-Identifier: MIT
 * tasks: the rows of the table `tasks`.  Every statement names the user: another person's task does not exist here.
 * Soft-deleted rows are not seen.  Nothing here is journaled: the caller does that before it changes a row.  All
 * functions run inside a transaction (task_get, task_list, task_count: a read connection will do). */
#ifndef STORE_TASKS_H
#define STORE_TASKS_H

#include "base/arena.h"
#include "store/db.h"

enum { TASKS_LIST_MAX = 20000 }; /* rows of one list in memory; some 300 bytes each in life */

struct task {
    int64_t id;
    const char *content;
    int64_t category_id;      /* 0 = none */
    const char *category;     /* its path, "Work/Projects"; read only */
    const char *due_date;     /* local "YYYY-MM-DD" or "YYYY-MM-DDTHH:MM"; NULL */
    const char *created_date; /* "YYYY-MM-DDTHH:MM:SSZ" */
    bool completed;
    const char *completed_date; /* as created_date; NULL */
    const char *repeat;         /* RFC 5545 rule; NULL */
    int64_t remind_at_ms;       /* 0 = no reminder */
    int64_t reminded_at_ms;     /* 0 = not yet */
    const char *channel;        /* where the reminder goes; NULL */
    int64_t chat_id;
};

/* Strings of *out are arena-owned and read back from the row. */
enum status MUST_CHECK task_insert(struct db *, struct arena *, int64_t user_id, const struct task *in,
                                   struct task *out, struct error *);
enum status MUST_CHECK task_get(struct db *, struct arena *, int64_t user_id, int64_t id, struct task *, bool *found,
                                struct error *);
/* Write every column of in->id but id and created_date; ST_NOT_FOUND when the user has no such task. */
enum status MUST_CHECK task_save(struct db *, struct arena *, int64_t user_id, const struct task *in, struct task *out,
                                 struct error *);
/* Soft; ST_NOT_FOUND likewise. */
enum status MUST_CHECK task_delete(struct db *, int64_t user_id, int64_t id, int64_t now_ms, struct error *);

enum task_state { TASKS_OPEN, TASKS_DONE, TASKS_ALL };
struct task_filter {
    enum task_state state;
    int64_t category_id;    /* and what lies below it; 0 = any */
    const char *due_from;   /* "YYYY-MM-DD", inclusive; NULL = no bound */
    const char *due_to;     /* inclusive */
    const char *overdue_at; /* "YYYY-MM-DDTHH:MM": due before this moment (a whole day: before its day); NULL */
    bool undated;           /* only those without a date */
    int limit;              /* 0 = TASKS_LIST_MAX */
};
/* Open ones by due date, those without one last; done ones newest first.  *list is arena-owned. */
enum status MUST_CHECK task_list(struct db *, struct arena *, int64_t user_id, const struct task_filter *,
                                 struct task **list, int *count, struct error *);
enum status MUST_CHECK task_count(struct db *, int64_t user_id, const struct task_filter *, int64_t *count,
                                  struct error *);

#endif
