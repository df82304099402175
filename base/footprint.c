/* SPDX-License-Identifier: MIT
 * footprint: see footprint.h.  Called by bot/serve.c on the main thread.  It must not touch a segment that was ever
 * writable: relocations and data live in those, and dropping them would lose them. */
#include "base/footprint.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ARENAS_MAX = 4 };

void footprint_init(void)
{
    mallopt(M_ARENA_MAX, ARENAS_MAX);
}

/* One loaded library: its read-only segments.  The kernel maps 64 KB around every page that starting touched; most of
 * it is never needed again. */
static int drop_code(struct dl_phdr_info *info, size_t bytes, void *arg)
{
    uintptr_t page = *(const uintptr_t *)arg;
    (void)bytes;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || (p->p_flags & PF_W))
            continue;
        uintptr_t begin = (info->dlpi_addr + p->p_vaddr) & ~(page - 1);
        uintptr_t end = (info->dlpi_addr + p->p_vaddr + p->p_memsz) & ~(page - 1); /* its last page may be shared */
        if (end > begin)
            (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

void footprint_give_back(void)
{
    malloc_trim(0);
}

void footprint_trim(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    malloc_trim(0);
    dl_iterate_phdr(drop_code, &page);
}
