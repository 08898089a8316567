/* srtp_evp - the engine over OpenSSL's EVP: what stays the same from packet
 * to packet is done once. A cipher keeps its key schedule and gets but a new
 * IV; HMAC-SHA1 goes on from its two pads, hashed beforehand (RFC 2104
 * section 4). */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base.h"
#include "hmac.h"
#include "srtp_evp_priv.h"
#include "srtp_priv.h"

#define RTP_HEADER_BYTES   12
#define RTCP_HEADER_BYTES  8
#define GCM_TAG_BYTES      16
#define CM_TAG_BYTES       10
#define CM_AUTH_KEY_BYTES  20
#define INDEX_BYTES        4 /* SRTCP: the E bit and its index */
#define E_BIT              (UINT32_C(1) << 31)
#define SHA1_BLOCK_BYTES   64
#define IV_BYTES           16 /* GCM uses 12 */

/* Labels of RFC 3711 section 4.3.1, counted from 0 (RTP) or 3 (RTCP). */
enum label { LABEL_KEY, LABEL_AUTH, LABEL_SALT, LABELS };

/* Session keys of RTP or of RTCP. */
struct half {
	EVP_CIPHER_CTX *cipher;
	EVP_MD_CTX *inner, *outer; /* of CM_SHA1 */
	uint8_t salt[SRTP_SALT_MAX];
};

struct engine {
	bool gcm, tx;
	struct half rtp, rtcp;
	EVP_MD_CTX *work; /* of CM_SHA1 */
	struct srtp_streams streams;
};

/* ---- keys ---- */

/* RFC 3711 section 4.3 with key derivation rate 0; a salt of 12 bytes is
 * padded with zeros behind (RFC 7714 section 11). */
static bool derive(const struct srtp_key *k, size_t n_salt, uint8_t label,
	uint8_t *out, size_t n)
{
	uint8_t iv[IV_BYTES] = {0};
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len;
	bool ok;

	memcpy(iv, k->salt, n_salt);
	iv[7] ^= label;
	memset(out, 0, n);
	ok = c && EVP_EncryptInit_ex2(c, EVP_aes_128_ctr(), k->key, iv,
		NULL) == 1 && EVP_EncryptUpdate(c, out, &len, out,
		(int)n) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

static EVP_MD_CTX *begin_pad(const uint8_t key[CM_AUTH_KEY_BYTES],
	uint8_t with)
{
	uint8_t pad[SHA1_BLOCK_BYTES];
	EVP_MD_CTX *m = EVP_MD_CTX_new();

	memset(pad, with, sizeof pad);
	for (size_t i = 0; i < CM_AUTH_KEY_BYTES; i++)
		pad[i] ^= key[i];
	if (m && (EVP_DigestInit_ex2(m, EVP_sha1(), NULL) != 1 ||
		EVP_DigestUpdate(m, pad, sizeof pad) != 1)) {
		EVP_MD_CTX_free(m);
		m = NULL;
	}
	OPENSSL_cleanse(pad, sizeof pad);
	return m;
}

static bool open_half(const struct engine *e, struct half *h,
	const struct srtp_key *k, uint8_t label)
{
	size_t n_salt = e->gcm ? 12 : SRTP_SALT_MAX;
	uint8_t key[SRTP_KEY_BYTES], auth[CM_AUTH_KEY_BYTES];
	bool ok;

	h->cipher = EVP_CIPHER_CTX_new();
	ok = h->cipher && derive(k, n_salt, label + LABEL_KEY, key,
		sizeof key) && derive(k, n_salt, label + LABEL_SALT, h->salt,
		n_salt) && EVP_CipherInit_ex2(h->cipher, e->gcm ?
		EVP_aes_128_gcm() : EVP_aes_128_ctr(), key, NULL, e->tx,
		NULL) == 1;
	if (ok && !e->gcm) {
		ok = derive(k, n_salt, label + LABEL_AUTH, auth, sizeof auth);
		h->inner = ok ? begin_pad(auth, 0x36) : NULL;
		h->outer = ok ? begin_pad(auth, 0x5c) : NULL;
		ok = h->inner && h->outer;
	}
	OPENSSL_cleanse(key, sizeof key);
	OPENSSL_cleanse(auth, sizeof auth);
	return ok;
}

static void close_half(struct half *h)
{
	EVP_CIPHER_CTX_free(h->cipher);
	EVP_MD_CTX_free(h->inner);
	EVP_MD_CTX_free(h->outer);
}

static void close_engine(void *ctx)
{
	struct engine *e = ctx;

	if (!e)
		return;
	close_half(&e->rtp);
	close_half(&e->rtcp);
	EVP_MD_CTX_free(e->work);
	srtp_streams_free(&e->streams);
	OPENSSL_cleanse(e, sizeof *e);
	free(e);
}

static void *open_engine(enum srtp_suite suite, const struct srtp_key *key,
	bool tx)
{
	struct engine *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	e->gcm = suite == SRTP_SUITE_GCM_128;
	e->tx = tx;
	if (!e->gcm)
		e->work = EVP_MD_CTX_new();
	if ((e->gcm || e->work) && open_half(e, &e->rtp, key, 0) &&
		open_half(e, &e->rtcp, key, LABELS))
		return e;
	ERR_clear_error();
	close_engine(e);
	errno = ENOMEM;
	return NULL;
}

/* ---- primitives ---- */

/* RFC 3711 section 4.1.1, RFC 7714 sections 8.1 and 9.1: salt, SSRC and
 * index; only their place differs. The index has 48 bits (RTCP: 31). */
static bool set_iv(const struct engine *e, const struct half *h,
	uint32_t ssrc, uint64_t index)
{
	uint8_t iv[IV_BYTES] = {0}, number[10];
	size_t at = e->gcm ? 2 : 4;

	memcpy(iv, h->salt, e->gcm ? 12 : SRTP_SALT_MAX);
	be32_put(number, ssrc);
	be16_put(number + 4, (uint16_t)(index >> 32));
	be32_put(number + 6, (uint32_t)index);
	for (size_t i = 0; i < sizeof number; i++)
		iv[at + i] ^= number[i];
	return EVP_CipherInit_ex2(h->cipher, NULL, NULL, iv, -1, NULL) == 1;
}

static bool crypt(const struct half *h, uint8_t *p, size_t n)
{
	int len;

	return EVP_CipherUpdate(h->cipher, p, &len, p, (int)n) == 1;
}

static bool add_aad(const struct half *h, const uint8_t *p, size_t n)
{
	int len;

	return EVP_CipherUpdate(h->cipher, NULL, &len, p, (int)n) == 1;
}

/* Ends a packet of GCM: writes the tag, or compares it. */
static bool finish(const struct engine *e, const struct half *h, uint8_t *tag)
{
	OSSL_PARAM param[2] = {OSSL_PARAM_construct_octet_string(
		OSSL_CIPHER_PARAM_AEAD_TAG, tag, GCM_TAG_BYTES),
		OSSL_PARAM_construct_end()};
	uint8_t none[16];
	int len;

	if (!e->tx && EVP_CIPHER_CTX_set_params(h->cipher, param) != 1)
		return false;
	return EVP_CipherFinal_ex(h->cipher, none, &len) == 1 &&
		(!e->tx || EVP_CIPHER_CTX_get_params(h->cipher, param) == 1);
}

/* HMAC-SHA1 of n bytes and, of RTP, the ROC behind them. */
static bool hash(struct engine *e, const struct half *h, const uint8_t *p,
	size_t n, const uint8_t *roc, uint8_t mac[SHA1_BYTES])
{
	return EVP_MD_CTX_copy_ex(e->work, h->inner) == 1 &&
		EVP_DigestUpdate(e->work, p, n) == 1 &&
		(!roc || EVP_DigestUpdate(e->work, roc, 4) == 1) &&
		EVP_DigestFinal_ex(e->work, mac, NULL) == 1 &&
		EVP_MD_CTX_copy_ex(e->work, h->outer) == 1 &&
		EVP_DigestUpdate(e->work, mac, SHA1_BYTES) == 1 &&
		EVP_DigestFinal_ex(e->work, mac, NULL) == 1;
}

/* What OpenSSL refuses here is lack of memory, but for a tag. */
static int failed(int err)
{
	ERR_clear_error();
	return err;
}

/* ---- RTP ---- */

/* srtp.c has seen that this lies within the packet. */
static size_t rtp_header(const uint8_t *p)
{
	size_t n = RTP_HEADER_BYTES + 4u * (p[0] & 15);

	return p[0] & 0x10 ? n + 4 + 4u * be16(p + n + 2) : n;
}

static int seal_rtp(struct engine *e, uint8_t *p, size_t *n, uint64_t index)
{
	size_t head = rtp_header(p), len = *n - head;
	const struct half *h = &e->rtp;
	uint8_t roc[4], mac[SHA1_BYTES];

	if (!set_iv(e, h, be32(p + 8), index))
		return failed(-ENOMEM);
	if (e->gcm) {
		if (!add_aad(h, p, head) || !crypt(h, p + head, len) ||
			!finish(e, h, p + *n))
			return failed(-ENOMEM);
		*n += GCM_TAG_BYTES;
		return 0;
	}
	be32_put(roc, (uint32_t)(index >> 16));
	if (!crypt(h, p + head, len) || !hash(e, h, p, *n, roc, mac))
		return failed(-ENOMEM);
	memcpy(p + *n, mac, CM_TAG_BYTES);
	*n += CM_TAG_BYTES;
	return 0;
}

static int open_rtp(struct engine *e, uint8_t *p, size_t *n, uint64_t index)
{
	size_t head = rtp_header(p), tag = e->gcm ? GCM_TAG_BYTES :
		CM_TAG_BYTES, len;
	const struct half *h = &e->rtp;
	uint8_t roc[4], mac[SHA1_BYTES];

	if (*n < head + tag)
		return -EINVAL;
	len = *n - tag;
	if (!set_iv(e, h, be32(p + 8), index))
		return failed(-ENOMEM);
	if (e->gcm) {
		if (!add_aad(h, p, head) || !crypt(h, p + head, len - head) ||
			!finish(e, h, p + len))
			return failed(-EBADMSG);
		*n = len;
		return 0;
	}
	be32_put(roc, (uint32_t)(index >> 16));
	if (!hash(e, h, p, len, roc, mac))
		return failed(-ENOMEM);
	if (!mem_equal_ct(mac, p + len, CM_TAG_BYTES))
		return -EBADMSG;
	if (!crypt(h, p + head, len - head))
		return failed(-ENOMEM);
	*n = len;
	return 0;
}

static int protect_rtp(struct engine *e, uint8_t *p, size_t *n)
{
	struct srtp_stream *s = srtp_streams_add(&e->streams, be32(p + 8));
	uint64_t index;
	int err;

	if (!s)
		return -ENOMEM;
	index = srtp_window_guess(&s->rtp, be16(p + 2));
	err = seal_rtp(e, p, n, index);
	if (!err)
		srtp_window_put(&s->rtp, index);
	return err;
}

/* Nothing is remembered of an SSRC before it has shown the key. */
static int unprotect_rtp(struct engine *e, uint8_t *p, size_t *n)
{
	static const struct srtp_window fresh;
	uint32_t ssrc = be32(p + 8);
	struct srtp_stream *s = srtp_streams_find(&e->streams, ssrc);
	const struct srtp_window *w = s ? &s->rtp : &fresh;
	uint64_t index = srtp_window_guess(w, be16(p + 2));
	int err = srtp_window_check(w, index);

	if (!err)
		err = open_rtp(e, p, n, index);
	if (err)
		return err;
	s = s ? s : srtp_streams_add(&e->streams, ssrc);
	if (!s)
		return -ENOMEM;
	srtp_window_put(&s->rtp, index);
	return 0;
}

/* ---- RTCP ---- */

static int seal_rtcp(struct engine *e, uint8_t *p, size_t *n, uint32_t index)
{
	const struct half *h = &e->rtcp;
	uint8_t word[INDEX_BYTES], mac[SHA1_BYTES];
	size_t len = *n - RTCP_HEADER_BYTES;

	be32_put(word, index | E_BIT);
	if (!set_iv(e, h, be32(p + 4), index))
		return failed(-ENOMEM);
	if (e->gcm) {
		if (!add_aad(h, p, RTCP_HEADER_BYTES) ||
			!add_aad(h, word, sizeof word) ||
			!crypt(h, p + RTCP_HEADER_BYTES, len) ||
			!finish(e, h, p + *n))
			return failed(-ENOMEM);
		*n += GCM_TAG_BYTES;
		memcpy(p + *n, word, sizeof word);
		*n += sizeof word;
		return 0;
	}
	memcpy(p + *n, word, sizeof word);
	if (!crypt(h, p + RTCP_HEADER_BYTES, len) ||
		!hash(e, h, p, *n + sizeof word, NULL, mac))
		return failed(-ENOMEM);
	*n += sizeof word;
	memcpy(p + *n, mac, CM_TAG_BYTES);
	*n += CM_TAG_BYTES;
	return 0;
}

/* len: of header and what is encrypted. */
static int open_rtcp(struct engine *e, uint8_t *p, size_t len, uint32_t index)
{
	const struct half *h = &e->rtcp;
	uint8_t mac[SHA1_BYTES];
	size_t n = len - RTCP_HEADER_BYTES;

	if (!set_iv(e, h, be32(p + 4), index))
		return failed(-ENOMEM);
	if (e->gcm)
		return add_aad(h, p, RTCP_HEADER_BYTES) &&
			add_aad(h, p + len + GCM_TAG_BYTES, INDEX_BYTES) &&
			crypt(h, p + RTCP_HEADER_BYTES, n) &&
			finish(e, h, p + len) ? 0 : failed(-EBADMSG);
	if (!hash(e, h, p, len + INDEX_BYTES, NULL, mac))
		return failed(-ENOMEM);
	if (!mem_equal_ct(mac, p + len + INDEX_BYTES, CM_TAG_BYTES))
		return -EBADMSG;
	return crypt(h, p + RTCP_HEADER_BYTES, n) ? 0 : failed(-ENOMEM);
}

static int protect_rtcp(struct engine *e, uint8_t *p, size_t *n)
{
	struct srtp_stream *s = srtp_streams_add(&e->streams, be32(p + 4));
	uint64_t index;
	int err;

	if (!s)
		return -ENOMEM;
	index = s->rtcp.top + 1;
	if (index >= E_BIT)
		return -EKEYEXPIRED;
	err = seal_rtcp(e, p, n, (uint32_t)index);
	if (!err)
		srtp_window_put(&s->rtcp, index);
	return err;
}

static int unprotect_rtcp(struct engine *e, uint8_t *p, size_t *n)
{
	static const struct srtp_window fresh;
	size_t trailer = INDEX_BYTES + (e->gcm ? GCM_TAG_BYTES :
		CM_TAG_BYTES), len = *n - trailer;
	uint32_t ssrc = be32(p + 4), word;
	struct srtp_stream *s;
	int err;

	if (*n < RTCP_HEADER_BYTES + trailer)
		return -EINVAL;
	word = be32(p + len + (e->gcm ? GCM_TAG_BYTES : 0));
	if (!(word & E_BIT)) /* only what is encrypted was agreed on */
		return -EINVAL;
	word &= ~E_BIT;
	s = srtp_streams_find(&e->streams, ssrc);
	err = srtp_window_check(s ? &s->rtcp : &fresh, word);
	if (!err)
		err = open_rtcp(e, p, len, word);
	if (err)
		return err;
	s = s ? s : srtp_streams_add(&e->streams, ssrc);
	if (!s)
		return -ENOMEM;
	srtp_window_put(&s->rtcp, word);
	*n = len;
	return 0;
}

static int run(void *ctx, enum srtp_op op, uint8_t *p, size_t *n)
{
	switch (op) {
	case SRTP_OP_PROTECT_RTP:
		return protect_rtp(ctx, p, n);
	case SRTP_OP_PROTECT_RTCP:
		return protect_rtcp(ctx, p, n);
	case SRTP_OP_UNPROTECT_RTP:
		return unprotect_rtp(ctx, p, n);
	case SRTP_OP_UNPROTECT_RTCP:
		return unprotect_rtcp(ctx, p, n);
	}
	return -EINVAL;
}

static void forget(void *ctx, uint32_t ssrc)
{
	struct engine *e = ctx;

	srtp_streams_forget(&e->streams, ssrc);
}

const struct srtp_engine srtp_engine_evp = {
	.name = "evp",
	.open = open_engine,
	.close = close_engine,
	.run = run,
	.forget = forget,
};
