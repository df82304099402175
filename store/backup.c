/* SPDX-License-Identifier: MIT
 * backup: see backup.h.  The drivers do the work. */
#include "store/backup.h"
#include "store/driver.h"

static const char no_copy[] = "this database is copied by tools of its own";

enum status store_backup(const struct backup_options *o, struct backup_report *report, struct error *e)
{
    const struct db_driver *driver = db_driver_of(o->url, e);
    *report = (struct backup_report){ 0 };
    if (!driver)
        return e->status;
    return driver->backup ? driver->backup(o, report, e) : fail(e, ST_INVALID, "%s", no_copy);
}

enum status store_restore(const struct backup_options *o, struct backup_report *report, struct error *e)
{
    const struct db_driver *driver = db_driver_of(o->url, e);
    *report = (struct backup_report){ 0 };
    if (!driver)
        return e->status;
    return driver->restore ? driver->restore(o, report, e) : fail(e, ST_INVALID, "%s", no_copy);
}

const char *store_backup_lines(struct arena *arena, const char *url, const char *file, bool restore)
{
    struct error ignored;
    const struct db_driver *driver = db_driver_of(url, &ignored);
    return driver && driver->backup_lines ? driver->backup_lines(arena, url, file, restore) : NULL;
}
