/* CRC-32 of IEEE 802.3, eight bytes at a time: opening looks through a
 * million events, and half a byte at a time that took seconds. */
#include "store_priv.h"

/* The table of a byte that is k bytes before the end is linear: the entry of
 * a number is that of its bits together, and here are those of the bits. */
#define ENTRY(b, b0, b1, b2, b3, b4, b5, b6, b7)                         \
	((((b) & 1) ? b0 : 0) ^ (((b) & 2) ? b1 : 0) ^                   \
	(((b) & 4) ? b2 : 0) ^ (((b) & 8) ? b3 : 0) ^                    \
	(((b) & 16) ? b4 : 0) ^ (((b) & 32) ? b5 : 0) ^                  \
	(((b) & 64) ? b6 : 0) ^ (((b) & 128) ? b7 : 0))
#define FOUR(b, ...)                                                     \
	ENTRY(b, __VA_ARGS__), ENTRY((b) + 1, __VA_ARGS__),              \
	ENTRY((b) + 2, __VA_ARGS__), ENTRY((b) + 3, __VA_ARGS__)
#define SIXTEEN(b, ...)                                                  \
	FOUR(b, __VA_ARGS__), FOUR((b) + 4, __VA_ARGS__),                \
	FOUR((b) + 8, __VA_ARGS__), FOUR((b) + 12, __VA_ARGS__)
#define SIXTYFOUR(b, ...)                                                \
	SIXTEEN(b, __VA_ARGS__), SIXTEEN((b) + 16, __VA_ARGS__),         \
	SIXTEEN((b) + 32, __VA_ARGS__), SIXTEEN((b) + 48, __VA_ARGS__)
#define TABLE(...)                                                       \
	{SIXTYFOUR(0, __VA_ARGS__), SIXTYFOUR(64, __VA_ARGS__),          \
	SIXTYFOUR(128, __VA_ARGS__), SIXTYFOUR(192, __VA_ARGS__)}

static const uint32_t table[8][256] = {
	TABLE(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064,
		0x3b6e20c8, 0x76dc4190, 0xedb88320),
	TABLE(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251,
		0x958424a2, 0xf0794f05, 0x3b83984b),
	TABLE(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370,
		0x384d46e0, 0x709a8dc0, 0xe1351b80),
	TABLE(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f,
		0xa032af3e, 0x9b14583d, 0xed59b63b),
	TABLE(0x3d6029b0, 0x7ac05360, 0xf580a6c0, 0x30704bc1, 0x60e09782,
		0xc1c12f04, 0x58f35849, 0xb1e6b092),
	TABLE(0xcb5cd3a5, 0x4dc8a10b, 0x9b914216, 0xec53826d, 0x03d6029b,
		0x07ac0536, 0x0f580a6c, 0x1eb014d8),
	TABLE(0xa6770bb4, 0x979f1129, 0xf44f2413, 0x33ef4e67, 0x67de9cce,
		0xcfbd399c, 0x440b7579, 0x8816eaf2),
	TABLE(0xccaa009e, 0x4225077d, 0x844a0efa, 0xd3e51bb5, 0x7cbb312b,
		0xf9766256, 0x299dc2ed, 0x533b85da),
};

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 |
		(uint32_t)p[1] << 8 | p[0];
}

uint32_t store_crc32(uint32_t crc, const void *p, size_t n)
{
	const uint8_t *b = p;

	crc = ~crc;
	for (; n >= 8; b += 8, n -= 8) {
		uint32_t x = crc ^ le32(b), y = le32(b + 4);

		crc = table[7][x & 255] ^ table[6][x >> 8 & 255] ^
			table[5][x >> 16 & 255] ^ table[4][x >> 24] ^
			table[3][y & 255] ^ table[2][y >> 8 & 255] ^
			table[1][y >> 16 & 255] ^ table[0][y >> 24];
	}
	while (n--)
		crc = table[0][(crc ^ *b++) & 255] ^ crc >> 8;
	return ~crc;
}

uint32_t store_chain(uint32_t prev, const void *body, size_t n)
{
	uint8_t be[4];

	be32_put(be, prev);
	return store_crc32(store_crc32(0, be, 4), body, n);
}
