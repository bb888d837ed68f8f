/*
 * lockdep_graph.h - what kernel/lockdep.c and kernel/lockdep_graph.c tell each other.
 */
#ifndef RAVEL_KERNEL_LOCKDEP_GRAPH_H
#define RAVEL_KERNEL_LOCKDEP_GRAPH_H

#include "kernel/lockdep.h"

/* The class of a key; of a static lock; of the @n-th lock of @class that is held at once. */
u16 lock_class_of_key(struct lock_key *key);
u16 lock_class_of_static(const struct spinlock *lock);
u16 lock_class_nested(u16 class, unsigned n);

const char *lock_class_name(u16 class);
/* May @inner be taken while @outer is held, both of @class? */
bool lock_class_ordered(u16 class, const void *outer, const void *inner);

/* @new is about to be waited for with @outer held. Reports if that closes a circle. */
void lock_edge_add(const struct held_lock *outer, const struct held_lock *new);
/* Remembers in which context spinlock @new is taken. Reports if a handler could wait for ever. */
void lock_class_note_irq(const struct held_lock *new, bool irqs_on);

/* Panics with this message, what the current task holds, and that it wants @new. */
void lockdep_report(const struct held_lock *new, const char *fmt, ...) __noreturn __printf(2, 3);
/* Nothing is watched any more. */
void lockdep_stop(void);

#endif
