/*
 * poison.h - what AddressSanitizer knows of the allocators' memory; nothing in a build without it.
 */
#ifndef RAVEL_HOST_UNIT_POISON_H
#define RAVEL_HOST_UNIT_POISON_H

#include <sanitizer/asan_interface.h>

#include "tests/host/test.h"

#ifdef __SANITIZE_ADDRESS__
#define CHECK_POISONED(p)     CHECK(__asan_address_is_poisoned(p))
#define CHECK_USABLE(p, size) CHECK(!__asan_region_is_poisoned(p, size))
#else
#define CHECK_POISONED(p)     ((void)(p))
#define CHECK_USABLE(p, size) ((void)(p), (void)(size))
#endif

#endif
