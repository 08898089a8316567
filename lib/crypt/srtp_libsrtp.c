/* srtp_libsrtp - the engine over libsrtp2. Debian builds it on NSS, which
 * makes it slow; it is the reference that srtp_evp is tested against. */
#include <arpa/inet.h>
#include <srtp2/srtp.h>

#include "base.h"
#include "srtp_priv.h"

#define WINDOW_PACKETS 1024

static void close_ctx(void *ctx)
{
	if (ctx)
		srtp_dealloc(ctx);
}

static void *open_ctx(enum srtp_suite suite, const struct srtp_key *key,
	bool tx)
{
	static bool ready; /* libsrtp's own global, made at the first use */
	uint8_t master[SRTP_KEY_BYTES + SRTP_SALT_MAX];
	srtp_policy_t p = {
		.window_size = WINDOW_PACKETS,
		.allow_repeat_tx = 1,
		.key = master,
	};
	srtp_t s = NULL;

	if (!ready && srtp_init() != srtp_err_status_ok)
		goto fail;
	ready = true;
	if (suite == SRTP_SUITE_GCM_128) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtcp);
	} else {
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p.rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p.rtcp);
	}
	p.ssrc.type = tx ? ssrc_any_outbound : ssrc_any_inbound;
	memcpy(master, key->key, SRTP_KEY_BYTES);
	memcpy(master + SRTP_KEY_BYTES, key->salt, SRTP_SALT_MAX);
	if (srtp_create(&s, &p) != srtp_err_status_ok)
		s = NULL;
	explicit_bzero(master, sizeof master);
	if (s)
		return s;
fail:
	errno = ENOMEM;
	return NULL;
}

static int error_of(srtp_err_status_t e)
{
	switch (e) {
	case srtp_err_status_ok:
		return 0;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
		return -EALREADY;
	case srtp_err_status_auth_fail:
	case srtp_err_status_cipher_fail:
		return -EBADMSG;
	case srtp_err_status_alloc_fail:
		return -ENOMEM;
	case srtp_err_status_key_expired:
		return -EKEYEXPIRED;
	default:
		return -EINVAL;
	}
}

static int run(void *ctx, enum srtp_op op, uint8_t *p, size_t *n)
{
	int len = (int)*n;
	srtp_err_status_t e = srtp_err_status_bad_param;

	switch (op) {
	case SRTP_OP_PROTECT_RTP:
		e = srtp_protect(ctx, p, &len);
		break;
	case SRTP_OP_PROTECT_RTCP:
		e = srtp_protect_rtcp(ctx, p, &len);
		break;
	case SRTP_OP_UNPROTECT_RTP:
		e = srtp_unprotect(ctx, p, &len);
		break;
	case SRTP_OP_UNPROTECT_RTCP:
		e = srtp_unprotect_rtcp(ctx, p, &len);
		break;
	}
	if (e == srtp_err_status_ok)
		*n = (size_t)len;
	return error_of(e);
}

static void forget(void *ctx, uint32_t ssrc)
{
	srtp_remove_stream(ctx, htonl(ssrc));
}

const struct srtp_engine srtp_engine_libsrtp = {
	.name = "libsrtp2",
	.open = open_ctx,
	.close = close_ctx,
	.run = run,
	.forget = forget,
};
