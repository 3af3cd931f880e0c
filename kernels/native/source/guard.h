#ifndef BITCELL_GUARD_H
#define BITCELL_GUARD_H

#include <stddef.h>

/* Bytes between two parts of the memory that must not be touched, where the build notices it (-fsanitize=address). */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
enum { GUARD_BYTES = 64 };
static inline void guard(void *start, size_t bytes) { ASAN_POISON_MEMORY_REGION(start, bytes); }
#else
enum { GUARD_BYTES = 0 };
static inline void guard(void *start, size_t bytes) {
  (void)start;
  (void)bytes;
}
#endif

#endif
