/*
 * ids.h - names of users and groups, from /etc/passwd and /etc/group.
 *
 * glibc's own look-up loads shared objects, which a static program cannot rely on.
 *
 * Invariants: files that are absent have no names in them.  Locks: none; each file is read once.
 */
#ifndef RAVEL_USR_LIB_IDS_H
#define RAVEL_USR_LIB_IDS_H

/* The name of a user or group, or its number in decimal; valid for ever. */
const char *user_name(unsigned int uid);
const char *group_name(unsigned int gid);

/* The id of a name or of a decimal number; -1 when there is no such name. */
long user_id(const char *name);
long group_id(const char *name);

#endif
