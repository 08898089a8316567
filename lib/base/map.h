/* map - byte strings to pointers, by a keyed hash (SipHash-2-4), so that
 * keys that a stranger chose cannot pile up in one bucket.
 *
 * The map copies keys and borrows values. Order of iteration is order of
 * insertion.
 */
#ifndef MAP_H
#define MAP_H

#include <stddef.h>
#include <stdint.h>

struct map;

struct map *map_new(uint64_t seed);
void map_free(struct map *m);
size_t map_count(const struct map *m);
void *map_get(const struct map *m, const void *key, size_t n);
/* Replaces the value of an existing key. -ENOMEM leaves the map as it was. */
int map_put(struct map *m, const void *key, size_t n, void *value);
/* Returns the value that was there, or NULL. */
void *map_del(struct map *m, const void *key, size_t n);
/* For string keys. */
void *map_gets(const struct map *m, const char *key);
int map_puts(struct map *m, const char *key, void *value);
void *map_dels(struct map *m, const char *key);

/* Iteration: start with *pos = 0; NULL at the end. Deleting the entry just
 * returned is legal; putting a new key is not. The key is lent. */
void *map_next(const struct map *m, size_t *pos, const void **key, size_t *n);

uint64_t siphash(uint64_t k0, uint64_t k1, const void *p, size_t n);

#endif
