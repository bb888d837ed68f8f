/*
 * task.h, host: as the kernel's; `current` is a variable that is called tp, not the register.
 */
#ifndef RAVEL_HOST_TASK_H
#define RAVEL_HOST_TASK_H

#define register extern
#include_next "kernel/task.h"
#undef register

#endif
