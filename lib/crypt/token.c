/* token - JSON Web Tokens with HS256, RFC 7515 and 7519. */
#include "base.h"
#include "hmac.h"
#include "json.h"
#include "token.h"

#define ALG "HS256"

/* The claims that are strings, where they are kept, and which may lack. */
static const struct claim {
	const char *name;
	size_t at;
	size_t cap;
	bool optional;
} claims[] = {
#define CLAIM(f, o) {#f, offsetof(struct token_claims, f), \
	sizeof(((struct token_claims *)NULL)->f), o}
	CLAIM(iss, false),
	CLAIM(sub, false),
	CLAIM(mtg, false),
	CLAIM(role, false),
	CLAIM(name, true),
	CLAIM(jti, false),
#undef CLAIM
};

static int kid_of(const uint8_t secret[TOKEN_KEY_BYTES],
	char out[TOKEN_KID_CAP])
{
	uint8_t h[SHA256_BYTES];

	/* A hash of the key with a name, so that it tells nothing of it. */
	if (hmac_sha256(secret, TOKEN_KEY_BYTES, "kid", 3, h))
		return -ENOMEM;
	str_hex(out, h, (TOKEN_KID_CAP - 1) / 2);
	return 0;
}

int token_key_make(struct token_key *out,
	const uint8_t random[static TOKEN_KEY_BYTES])
{
	memcpy(out->secret, random, TOKEN_KEY_BYTES);
	return kid_of(out->secret, out->kid);
}

void token_key_write(const struct token_key *k, struct buf *out)
{
	char hex[2 * TOKEN_KEY_BYTES + 1];

	str_hex(hex, k->secret, TOKEN_KEY_BYTES);
	buf_printf(out, "%s %s\n", k->kid, hex);
	explicit_bzero(hex, sizeof hex);
}

int token_key_read(struct token_key *out, const char *s, size_t n)
{
	char line[TOKEN_KID_CAP + 2 * TOKEN_KEY_BYTES + 1] = "";
	size_t want = sizeof line - 1;
	struct token_key k = {0};
	int rc = -EINVAL;

	if (n == want + 1 && s[want] == '\n')
		n--;
	if (n == want && s[TOKEN_KID_CAP - 1] == ' ') {
		memcpy(line, s, n);
		if (!str_unhex(k.secret, sizeof k.secret, line + TOKEN_KID_CAP))
			rc = kid_of(k.secret, k.kid);
		if (!rc && memcmp(k.kid, line, TOKEN_KID_CAP - 1))
			rc = -EINVAL;
	}
	if (!rc)
		*out = k;
	explicit_bzero(line, sizeof line);
	explicit_bzero(&k, sizeof k);
	return rc;
}

/* Appends the JSON of v as base64url and releases v. */
static int put_part(struct buf *out, json_t *v)
{
	struct buf text = {0};
	int rc = v ? json_write(v, &text) : -ENOMEM;

	if (!rc)
		str_b64url(out, text.data, text.len);
	buf_free(&text);
	json_decref(v);
	return rc ? rc : out->err;
}

static json_t *claims_json(const struct token_claims *c)
{
	json_t *o = json_object();
	int bad = !o;

	for (size_t i = 0; i < ARRAY_LEN(claims) && !bad; i++) {
		const char *s = (const char *)c + claims[i].at;

		if (*s)
			bad = json_object_set_new(o, claims[i].name,
				json_string(s));
	}
	if (!bad)
		bad = json_object_set_new(o, "nbf",
			json_integer((json_int_t)c->nbf_s)) ||
		      json_object_set_new(o, "exp",
			json_integer((json_int_t)c->exp_s));
	if (!bad && c->uses)
		bad = json_object_set_new(o, "uses",
			json_integer((json_int_t)c->uses));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

static bool claims_ok(const struct token_claims *c)
{
	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		const char *s = (const char *)c + claims[i].at;
		size_t n = strnlen(s, claims[i].cap);

		if (n == claims[i].cap || (!n && !claims[i].optional) ||
		    !str_utf8_ok(s, n))
			return false;
	}
	return c->exp_s > c->nbf_s && c->exp_s <= INT64_MAX &&
		c->uses <= INT64_MAX;
}

int token_sign(const struct token_key *k, const struct token_claims *c,
	struct buf *out)
{
	uint8_t mac[SHA256_BYTES];
	struct buf t = {0};
	int rc = -EINVAL;

	if (!claims_ok(c))
		return rc;
	rc = put_part(&t, json_pack("{s:s, s:s, s:s}", "alg", ALG, "typ",
		"JWT", "kid", k->kid));
	buf_putc(&t, '.');
	if (!rc)
		rc = put_part(&t, claims_json(c));
	if (!rc)
		rc = hmac_sha256(k->secret, TOKEN_KEY_BYTES, t.data, t.len,
			mac);
	if (!rc) {
		buf_putc(&t, '.');
		str_b64url(&t, mac, sizeof mac);
		rc = t.err ? t.err : t.len > TOKEN_MAX_BYTES ? -EMSGSIZE : 0;
	}
	if (!rc) {
		buf_put(out, t.data, t.len);
		rc = out->err;
	}
	buf_free(&t);
	return rc;
}

static json_t *get_part(const char *s, size_t n)
{
	struct buf text = {0};
	char why[160];
	json_t *v = NULL;

	if (!str_unb64url(&text, s, n) && text.len)
		v = json_read(text.data, text.len, why);
	buf_free(&text);
	if (v && json_is_object(v))
		return v;
	json_decref(v);
	return NULL;
}

/* crit is refused whole: we know no extension (RFC 7515 section 4.1.11). */
static enum token_result find_key(const struct token_keys *ks,
	const json_t *header, const struct token_key **key)
{
	const char *bad = NULL;
	const char *alg = json_str(header, "alg", &bad);
	const char *kid = json_str(header, "kid", &bad);

	if (bad || !str_eq(alg, ALG) || !kid ||
	    json_object_get(header, "crit"))
		return TOKEN_MALFORMED;
	if (str_eq(kid, ks->cur.kid))
		*key = &ks->cur;
	else if (ks->prev.kid[0] && str_eq(kid, ks->prev.kid))
		*key = &ks->prev;
	else
		return TOKEN_UNKNOWN_KEY;
	return TOKEN_OK;
}

static bool read_claims(const json_t *o, struct token_claims *c)
{
	const char *bad = NULL;
	int64_t nbf, exp, uses;

	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		const char *s = json_str(o, claims[i].name, &bad);

		if (s && str_copy((char *)c + claims[i].at, claims[i].cap, s))
			return false;
	}
	nbf = json_int(o, "nbf", -1, &bad);
	exp = json_int(o, "exp", -1, &bad);
	uses = json_int(o, "uses", 0, &bad);
	if (bad || nbf < 0 || exp < 0 || uses < 0)
		return false;
	c->nbf_s = (uint64_t)nbf;
	c->exp_s = (uint64_t)exp;
	c->uses = (uint64_t)uses;
	return claims_ok(c);
}

/* Valid from the first instant of second nbf up to that of exp. */
static enum token_result judge(const struct token_claims *c,
	const char *meeting, uint64_t now_ms)
{
	if (meeting && !str_eq(meeting, c->mtg))
		return TOKEN_OTHER_MEETING;
	if (now_ms / 1000 < c->nbf_s)
		return TOKEN_NOT_YET;
	if (now_ms / 1000 >= c->exp_s)
		return TOKEN_EXPIRED;
	return TOKEN_OK;
}

static bool signature_ok(const struct token_key *k, const char *jwt,
	size_t n_signed, const char *sig, size_t n_sig)
{
	uint8_t mac[SHA256_BYTES];
	struct buf got = {0};
	bool ok = !str_unb64url(&got, sig, n_sig) &&
		got.len == SHA256_BYTES &&
		!hmac_sha256(k->secret, TOKEN_KEY_BYTES, jwt, n_signed, mac) &&
		mem_equal_ct(mac, got.data, SHA256_BYTES);

	buf_free(&got);
	return ok;
}

enum token_result token_verify(const struct token_keys *ks, const char *jwt,
	size_t n, const char *meeting, uint64_t now_ms,
	struct token_claims *out)
{
	const char *dot1 = n <= TOKEN_MAX_BYTES ? memchr(jwt, '.', n) : NULL;
	const char *end = jwt + n, *dot2;
	const struct token_key *key;
	enum token_result r;
	json_t *v;

	memset(out, 0, sizeof *out);
	dot2 = dot1 ? memchr(dot1 + 1, '.', (size_t)(end - dot1 - 1)) : NULL;
	if (!dot2)
		return TOKEN_MALFORMED;
	v = get_part(jwt, (size_t)(dot1 - jwt));
	r = v ? find_key(ks, v, &key) : TOKEN_MALFORMED;
	json_decref(v);
	if (r != TOKEN_OK)
		return r;
	if (!signature_ok(key, jwt, (size_t)(dot2 - jwt), dot2 + 1,
		(size_t)(end - dot2 - 1)))
		return TOKEN_BAD_SIGNATURE;
	v = get_part(dot1 + 1, (size_t)(dot2 - dot1 - 1));
	if (v && read_claims(v, out)) {
		r = judge(out, meeting, now_ms);
	} else {
		memset(out, 0, sizeof *out);
		r = TOKEN_MALFORMED;
	}
	json_decref(v);
	return r;
}

const char *token_text(enum token_result r)
{
	switch (r) {
	case TOKEN_OK:
		return "";
	case TOKEN_MALFORMED:
		return "This link is damaged. Copy it again, whole.";
	case TOKEN_UNKNOWN_KEY:
		return "This link does not belong to this server.";
	case TOKEN_BAD_SIGNATURE:
		return "This link has been changed. Ask for a new one.";
	case TOKEN_NOT_YET:
		return "This link is not valid yet. Try again later.";
	case TOKEN_EXPIRED:
		return "This link has expired. Ask for a new one.";
	case TOKEN_OTHER_MEETING:
		return "This link is for another meeting.";
	}
	return "This link is damaged. Copy it again, whole.";
}
