/*
 * window.h, host: in the windows without a lock the other harts of the host machine run.
 */
#ifndef RAVEL_MM_WINDOW_H
#define RAVEL_MM_WINDOW_H

void window(void);

#endif
