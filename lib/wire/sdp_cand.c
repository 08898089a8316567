/* The two attributes with a grammar of their own: candidate (RFC 8839
 * section 5.1, RFC 6544) and fingerprint (RFC 8122 section 5). */
#include "sdp.h"

#include "wire_sdp_priv.h"

#include <ctype.h>
#include <strings.h>

const char *const sdp_cand_names[4] = {"host", "srflx", "prflx", "relay"};
const char *const sdp_tcptype_names[4] = {NULL, "active", "passive", "so"};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "AB:CD:EF" to bytes; how many, or 0 if it is none or too long. */
static size_t unhex(uint8_t *out, size_t cap, const char *s)
{
	for (size_t n = 0; n < cap; s++) {
		int high = hex(s[0]);
		int low = high < 0 ? -1 : hex(s[1]);
		if (low < 0)
			return 0;
		out[n++] = (uint8_t)(high << 4 | low);
		s += 2;
		if (!*s)
			return n;
		if (*s != ':')
			return 0;
	}
	return 0;
}

int sdp_read_fingerprint(struct sdp_reader *r, char *value)
{
	static const struct {
		const char *name;
		size_t len;
	} hashes[] = {
		{"sha-1", 20}, {"sha-224", 28}, {"sha-256", 32},
		{"sha-384", 48}, {"sha-512", 64}, {"md5", 16},
	};
	uint8_t bytes[64];
	char *hash = sdp_word(&value);
	char *digits = sdp_word(&value);
	size_t len = digits ? unhex(bytes, sizeof(bytes), digits) : 0;
	if (!len)
		return sdp_fail(r, EINVAL, "the fingerprint is malformed");
	for (char *c = hash; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++)
		if (str_eq(hash, hashes[i].name) && len != hashes[i].len)
			return sdp_fail(r, EINVAL,
				"the fingerprint does not fit its hash");
	const char *text = sdp_dup(r->s, hash);
	if (!text)
		return sdp_fail_add(r, "texts");
	int rc = sdp_add_fingerprint(r->s, r->level, text, bytes, len);
	return rc ? sdp_fail_add(r, "fingerprints") : 0;
}

static bool is_host(const char *s)
{
	if (!s || !*s || strlen(s) > 253)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(".:-_%", *s))
			return false;
	return true;
}

/* What follows "typ TYPE": pairs of name and value, in any order. */
static int extensions(struct sdp_candidate *c, char *value,
	const char **rel_address, bool tcp)
{
	uint64_t port;
	int type = -1;
	for (char *name; (name = sdp_word(&value));) {
		char *v = sdp_word(&value);
		if (!v)
			return -EINVAL;
		if (str_eq(name, "raddr")) {
			if (!is_host(v))
				return -EINVAL;
			*rel_address = v;
		} else if (str_eq(name, "rport")) {
			if (str_u64(v, 0, 65535, &port))
				return -EINVAL;
			c->rel_port = (uint16_t)port;
		} else if (str_eq(name, "tcptype")) {
			type = sdp_name_index(sdp_tcptype_names, 4, v);
			if (type < 0)
				return -EINVAL;
		}
	}
	if (tcp != (type > 0))
		return -EINVAL;
	c->tcptype = tcp ? (enum sdp_tcptype)type : SDP_UDP;
	return 0;
}

/* "1 1 udp 2113937151 192.0.2.1 54400 typ host generation 0". One of a
 * transport or type that we do not know is passed over. */
int sdp_read_candidate(struct sdp_reader *r, char *value)
{
	static const char *const transports[] = {"udp", "tcp"};
	struct sdp_candidate c = {0};
	char *foundation = sdp_word(&value);
	char *component = sdp_word(&value);
	char *transport = sdp_word(&value);
	char *priority = sdp_word(&value);
	char *address = sdp_word(&value);
	char *port = sdp_word(&value);
	char *typ = sdp_word(&value);
	char *type = sdp_word(&value);
	const char *rel = NULL;
	uint64_t n_component, n_priority, n_port;
	if (!type || !str_eq(typ, "typ") || strlen(foundation) > 32 ||
		str_u64(component, 1, 255, &n_component) ||
		str_u64(priority, 0, UINT32_MAX, &n_priority) ||
		!is_host(address) || str_u64(port, 0, 65535, &n_port))
		return sdp_fail(r, EINVAL, "the candidate is malformed");
	int t = sdp_name_index(transports, 2, transport);
	int k = sdp_name_index(sdp_cand_names, 4, type);
	if (t < 0 || k < 0)
		return 0;
	if (extensions(&c, value, &rel, t == 1))
		return sdp_fail(r, EINVAL, "the candidate is malformed");
	struct sdp_candidate *out = sdp_add_candidate(r->s, r->m);
	if (!out)
		return sdp_fail_add(r, "candidates");
	*out = c;
	out->component = (uint8_t)n_component;
	out->priority = (uint32_t)n_priority;
	out->port = (uint16_t)n_port;
	out->type = (enum sdp_cand_type)k;
	out->foundation = sdp_dup(r->s, foundation);
	out->address = sdp_dup(r->s, address);
	if (rel)
		out->rel_address = sdp_dup(r->s, rel);
	if (!out->foundation || !out->address || (rel && !out->rel_address))
		return sdp_fail_add(r, "texts");
	return 0;
}
