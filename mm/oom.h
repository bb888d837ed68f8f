/*
 * oom.h - when reclaim finds nothing more.
 */
#ifndef RAVEL_MM_OOM_H
#define RAVEL_MM_OOM_H

#include "lib/types.h"

/*
 * Called without locks when a fault found no memory. Kills the largest process and gives it a
 * moment to die. True: try again. False: the current task is (or is the only) victim; its fault
 * fails.
 */
bool oom_make_room(void);

#endif
