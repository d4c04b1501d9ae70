/*
 * "Did you mean": the known name nearest to a mistyped one.
 *
 *     const char *near = s2clr_suggest("strid", names, count); // "stride"
 */
#ifndef S2CLR_BASE_SUGGEST_H
#define S2CLR_BASE_SUGGEST_H

#include <stddef.h>

/* Insertions, deletions, substitutions and swaps of neighbours that turn a into b (optimal string
 * alignment); small and capital letters are the same. Words beyond 63 bytes count as infinitely far: SIZE_MAX. */
size_t s2clr_edit_distance(const char *a, const char *b);

/* The candidate nearest to `word` when it is near enough (a third of its length, at least 1, or
 * `word` is its beginning), else NULL. */
const char *s2clr_suggest(const char *word, const char *const *candidates, size_t count);

#endif
