/* A chained hash table whose entries also stand in one list, which gives
 * iteration in order of insertion without touching empty buckets. */
#include "base.h"

struct entry {
	struct entry *chain;
	uint64_t hash;
	void *value;
	size_t slot; /* in order[] */
	size_t n;
	uint8_t key[];
};

struct map {
	uint64_t k0, k1;
	struct entry **bucket;
	size_t buckets; /* a power of two */
	struct entry **order; /* holes are NULL */
	size_t order_len, order_cap;
	size_t count;
};

static uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012. */
uint64_t siphash(uint64_t k0, uint64_t k1, const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573)};
	uint64_t last = (uint64_t)n << 56;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8) {
		uint64_t m = 0;

		for (int j = 7; j >= 0; j--)
			m = m << 8 | b[i + (size_t)j];
		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	for (size_t j = 0; i + j < n; j++)
		last |= (uint64_t)b[i + j] << (8 * j);
	v[3] ^= last;
	sip_round(v);
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int j = 0; j < 4; j++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct map *map_new(uint64_t seed)
{
	struct map *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->k0 = seed;
	m->k1 = rotl(seed, 23) ^ UINT64_C(0x9e3779b97f4a7c15);
	m->buckets = 16;
	m->bucket = calloc(m->buckets, sizeof(*m->bucket));
	if (!m->bucket) {
		free(m);
		errno = ENOMEM;
		return NULL;
	}
	return m;
}

void map_free(struct map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->order_len; i++)
		free(m->order[i]);
	free(m->order);
	free(m->bucket);
	free(m);
}

size_t map_count(const struct map *m)
{
	return m->count;
}

static struct entry **find(const struct map *m, const void *key, size_t n,
	uint64_t hash)
{
	struct entry **e = &m->bucket[hash & (m->buckets - 1)];

	while (*e && ((*e)->hash != hash || (*e)->n != n ||
			     memcmp((*e)->key, key, n) != 0))
		e = &(*e)->chain;
	return e;
}

void *map_get(const struct map *m, const void *key, size_t n)
{
	struct entry *e = *find(m, key, n, siphash(m->k0, m->k1, key, n));

	return e ? e->value : NULL;
}

/* More buckets; a failure only makes chains longer. */
static void grow(struct map *m)
{
	size_t buckets = m->buckets * 2;
	struct entry **bucket = calloc(buckets, sizeof(*bucket));

	if (!bucket)
		return;
	free(m->bucket);
	m->bucket = bucket;
	m->buckets = buckets;
	for (size_t i = 0; i < m->order_len; i++) {
		struct entry *e = m->order[i], **head;

		if (!e)
			continue;
		head = &bucket[e->hash & (buckets - 1)];
		e->chain = *head;
		*head = e;
	}
}

/* Makes room for one more at the end of order[], closing holes first. */
static int order_reserve(struct map *m)
{
	struct entry **order;
	size_t cap, j = 0;

	if (m->order_len < m->order_cap)
		return 0;
	if (m->count < m->order_len / 2) {
		for (size_t i = 0; i < m->order_len; i++) {
			if (!m->order[i])
				continue;
			m->order[j] = m->order[i];
			m->order[j]->slot = j;
			j++;
		}
		m->order_len = j;
		return 0;
	}
	cap = m->order_cap ? m->order_cap * 2 : 16;
	order = realloc(m->order, cap * sizeof(*order));
	if (!order)
		return -ENOMEM;
	m->order = order;
	m->order_cap = cap;
	return 0;
}

int map_put(struct map *m, const void *key, size_t n, void *value)
{
	uint64_t hash = siphash(m->k0, m->k1, key, n);
	struct entry **at = find(m, key, n, hash), *e = *at;

	if (e) {
		e->value = value;
		return 0;
	}
	if (order_reserve(m))
		return -ENOMEM;
	e = malloc(sizeof(*e) + n);
	if (!e)
		return -ENOMEM;
	*e = (struct entry){.hash = hash, .value = value, .n = n,
		.slot = m->order_len};
	if (n)
		memcpy(e->key, key, n);
	*at = e;
	m->order[m->order_len++] = e;
	if (++m->count > m->buckets)
		grow(m);
	return 0;
}

void *map_del(struct map *m, const void *key, size_t n)
{
	struct entry **at = find(m, key, n, siphash(m->k0, m->k1, key, n));
	struct entry *e = *at;
	void *value;

	if (!e)
		return NULL;
	*at = e->chain;
	m->order[e->slot] = NULL;
	while (m->order_len && !m->order[m->order_len - 1])
		m->order_len--;
	m->count--;
	value = e->value;
	free(e);
	return value;
}

void *map_gets(const struct map *m, const char *key)
{
	return map_get(m, key, strlen(key));
}

int map_puts(struct map *m, const char *key, void *value)
{
	return map_put(m, key, strlen(key), value);
}

void *map_dels(struct map *m, const char *key)
{
	return map_del(m, key, strlen(key));
}

void *map_next(const struct map *m, size_t *pos, const void **key, size_t *n)
{
	while (*pos < m->order_len) {
		struct entry *e = m->order[(*pos)++];

		if (!e)
			continue;
		if (key)
			*key = e->key;
		if (n)
			*n = e->n;
		return e->value;
	}
	return NULL;
}
