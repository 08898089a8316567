/* ice_msg - STUN messages of the agent, made and authenticated. */
#include "ice_priv.h"
#include "crypt.h"

const char *ice_request_ufrag(const uint8_t *p, size_t n, size_t *len)
{
	struct stun m;
	const char *colon;

	if (stun_parse(&m, p, n) || m.class != STUN_REQUEST ||
	    m.method != STUN_BINDING || !m.username)
		return NULL;
	colon = memchr(m.username, ':', m.username_len);
	if (!colon)
		return NULL;
	*len = (size_t)(colon - m.username);
	return m.username;
}

/* 0, -ENOENT, or -ENOTCONN when our half is right but theirs is unknown. */
static int check_username(const struct ice *ice, const struct stun *m)
{
	size_t own = strlen(ice->ufrag);
	size_t theirs = strlen(ice->remote_ufrag);

	if (m->username_len <= own || m->username[own] != ':' ||
	    memcmp(m->username, ice->ufrag, own) != 0)
		return -ENOENT;
	if (!theirs)
		return -ENOTCONN;
	if (m->username_len != own + 1 + theirs ||
	    memcmp(m->username + own + 1, ice->remote_ufrag, theirs) != 0)
		return -ENOENT;
	return 0;
}

static int check_integrity(const char *pwd, const struct stun *m,
	const uint8_t *p)
{
	uint8_t head[STUN_HEADER_BYTES], mac[SHA1_BYTES];
	int err;

	stun_integrity_head(head, m, p);
	err = hmac_sha1(pwd, strlen(pwd), head, sizeof(head),
		p + sizeof(head), m->integrity_at - sizeof(head), mac);
	if (err)
		return err;
	return mem_equal_ct(mac, m->integrity, sizeof(mac)) ? 0 : -EACCES;
}

static int find_request(struct ice *ice, const uint8_t *tid,
	struct pair **owner, struct request **req)
{
	for (unsigned i = 0; i < ice->pair_count; i++) {
		struct pair *p = &ice->pairs[i];

		for (unsigned k = 0; k < MIN(p->req_count, TIDS); k++)
			if (memcmp(p->req[k].tid, tid, STUN_TID_BYTES) == 0) {
				*owner = p;
				*req = &p->req[k];
				return 0;
			}
	}
	return -ESRCH;
}

int ice_verify(struct ice *ice, struct stun *m, const uint8_t *p, size_t n,
	struct pair **owner, struct request **req)
{
	const char *pwd = ice->pwd;
	int err;

	*owner = NULL;
	*req = NULL;
	if (stun_parse(m, p, n) || m->method != STUN_BINDING ||
	    m->class == STUN_INDICATION || !m->fingerprint || !m->integrity)
		return -EPROTO;
	if (m->class == STUN_REQUEST) {
		if (!m->username)
			return -EPROTO;
		err = check_username(ice, m);
	} else {
		pwd = ice->remote_pwd;
		err = find_request(ice, m->tid, owner, req);
	}
	return err ? err : check_integrity(pwd, m, p);
}

/* Authenticates what stands in the scratch buffer and copies it out. */
static int seal(struct ice *ice, const char *pwd, struct ice_datagram *out)
{
	struct buf *b = &ice->scratch;
	size_t at = stun_put_integrity(b);
	int err;

	if (b->err)
		return b->err;
	err = hmac_sha1(pwd, strlen(pwd), b->data, at - 4, NULL, 0,
		b->data + at);
	if (err)
		return err;
	stun_put_fingerprint(b);
	if (b->err)
		return b->err;
	if (b->len > sizeof(out->data))
		return -EMSGSIZE;
	memcpy(out->data, b->data, b->len);
	out->len = b->len;
	return 0;
}

int ice_write_request(struct ice *ice, const struct pair *p,
	const struct request *req, struct ice_datagram *out)
{
	char user[ICE_CRED_MAX + ICE_OWN_MAX + 2];
	struct buf *b = &ice->scratch;
	int n = snprintf(user, sizeof(user), "%s:%s", ice->remote_ufrag,
		ice->ufrag);

	buf_clear(b);
	stun_begin(b, STUN_REQUEST, STUN_BINDING, req->tid);
	stun_put_username(b, user, (size_t)n);
	/* The priority that a peer-reflexive candidate would get: type
	 * preference 110 (RFC 8445 section 7.1.1). */
	stun_put_priority(b, UINT32_C(110) << 24 |
		(ice_host_priority(0, &p->local) & 0xffffff));
	if (req->controlling)
		stun_put_controlling(b, ice->tie_breaker);
	else
		stun_put_controlled(b, ice->tie_breaker);
	if (req->nominates)
		stun_put_use_candidate(b);
	out->from = p->local;
	out->to = p->remote;
	return seal(ice, ice->remote_pwd, out);
}

int ice_write_reply(struct ice *ice, const struct stun *m, unsigned error,
	const struct ice_addr *from, const struct ice_addr *to,
	struct ice_datagram *out)
{
	struct stun_addr mapped = { .v6 = to->family == 6, .port = to->port };
	struct buf *b = &ice->scratch;

	memcpy(mapped.ip, to->bytes, sizeof(mapped.ip));
	buf_clear(b);
	stun_begin(b, error ? STUN_ERROR : STUN_SUCCESS, STUN_BINDING,
		m->tid);
	if (error == 420) {
		stun_put_error(b, 420, "Unknown Attribute");
		stun_put_unknown(b, m->unknown, m->unknown_count);
	} else if (error) {
		stun_put_error(b, error, "Role Conflict");
	} else {
		stun_put_mapped(b, &mapped);
	}
	out->from = *from;
	out->to = *to;
	return seal(ice, ice->pwd, out);
}
