/* SPDX-License-Identifier: MIT
 * footprint: memory that was touched once and is not needed any more. */
#ifndef BASE_FOOTPRINT_H
#define BASE_FOOTPRINT_H

/* Before the first thread starts: few malloc arenas.  Each keeps what its threads have freed, so that sixteen of them
 * grow for ever a little, and two cores contend for none. */
void footprint_init(void);
/* Once everything stands: give back the heap's free pages, and let go of the code pages that were only mapped by
 * starting (clean pages of files: what is needed again comes back from the page cache).  Any thread. */
void footprint_trim(void);
/* The heap's free pages alone, now and then: what lies between allocations that live longer adds up over the days. Less
 * than a millisecond for tens of megabytes.  Any thread. */
void footprint_give_back(void);

#endif
