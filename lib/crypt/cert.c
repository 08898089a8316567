/* cert - PEM in and out, fingerprints. */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base.h"
#include "cert_priv.h"

void cert_free(struct cert *c)
{
	if (!c)
		return;
	X509_free(c->x509);
	EVP_PKEY_free(c->pkey);
	sk_X509_pop_free(c->chain, X509_free);
	free(c);
}

static int not_after(const X509 *x, uint64_t *ms)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days, secs, rc = -ENOMEM;

	if (!epoch)
		return rc;
	rc = -EINVAL;
	if (ASN1_TIME_diff(&days, &secs, epoch, X509_get0_notAfter(x)) == 1 &&
	    days >= 0 && secs >= 0) {
		*ms = ((uint64_t)days * 86400 + (uint64_t)secs) * 1000;
		rc = 0;
	}
	ASN1_TIME_free(epoch);
	return rc;
}

struct cert *cert_of(X509 *x, EVP_PKEY *k)
{
	struct cert *c = calloc(1, sizeof *c);
	unsigned n = 0;
	int rc;

	if (!c) {
		X509_free(x);
		EVP_PKEY_free(k);
		errno = ENOMEM;
		return NULL;
	}
	c->x509 = x;
	c->pkey = k;
	rc = not_after(x, &c->not_after_ms);
	if (!rc && (X509_digest(x, EVP_sha256(), c->sha256, &n) != 1 ||
		    n != SHA256_BYTES))
		rc = -ENOMEM;
	if (rc) {
		cert_free(c);
		errno = -rc;
		return NULL;
	}
	return c;
}

/* Without this OpenSSL would ask on the terminal for an encrypted key. */
static int no_password(char *buf, int size, int rwflag, void *u)
{
	(void)buf, (void)size, (void)rwflag, (void)u;
	return -1;
}

static int read_chain(struct cert *c, BIO *in)
{
	X509 *x;

	while ((x = PEM_read_bio_X509(in, NULL, no_password, NULL))) {
		if (!c->chain)
			c->chain = sk_X509_new_null();
		if (!c->chain || !sk_X509_push(c->chain, x)) {
			X509_free(x);
			return -ENOMEM;
		}
	}
	return 0;
}

struct cert *cert_read_pem(const void *cert_pem, size_t n_cert,
	const void *key_pem, size_t n_key)
{
	BIO *in = NULL, *key_in = NULL;
	struct cert *c = NULL;
	X509 *x = NULL;
	EVP_PKEY *k = NULL;
	int err = ENOMEM;

	if (!n_cert || !n_key || n_cert > INT_MAX || n_key > INT_MAX) {
		errno = EINVAL;
		return NULL;
	}
	in = BIO_new_mem_buf(cert_pem, (int)n_cert);
	key_in = BIO_new_mem_buf(key_pem, (int)n_key);
	if (!in || !key_in)
		goto out;
	err = EINVAL;
	x = PEM_read_bio_X509(in, NULL, no_password, NULL);
	k = PEM_read_bio_PrivateKey(key_in, NULL, no_password, NULL);
	if (!x || !k || X509_check_private_key(x, k) != 1)
		goto out;
	c = cert_of(x, k);
	x = NULL;
	k = NULL;
	if (!c) {
		err = errno;
	} else if (read_chain(c, in)) {
		cert_free(c);
		c = NULL;
		err = ENOMEM;
	}
out:
	X509_free(x);
	EVP_PKEY_free(k);
	BIO_free(in);
	BIO_free(key_in);
	ERR_clear_error();
	if (!c)
		errno = err;
	return c;
}

static int drain(BIO *b, struct buf *out)
{
	char *p = NULL;
	long n = BIO_get_mem_data(b, &p);

	if (n > 0)
		buf_put(out, p, (size_t)n);
	return out->err;
}

static int write_certs(const struct cert *c, struct buf *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	int rc = -ENOMEM;

	if (!b || PEM_write_bio_X509(b, c->x509) != 1)
		goto out;
	for (int i = 0; i < sk_X509_num(c->chain); i++)
		if (PEM_write_bio_X509(b, sk_X509_value(c->chain, i)) != 1)
			goto out;
	rc = drain(b, out);
out:
	BIO_free(b);
	return rc;
}

static int write_key(const struct cert *c, struct buf *out)
{
	BIO *b = BIO_new(BIO_s_secmem());
	int rc = -ENOMEM;

	if (b && PEM_write_bio_PKCS8PrivateKey(b, c->pkey, NULL, NULL, 0,
		no_password, NULL) == 1)
		rc = drain(b, out);
	BIO_free(b);
	return rc;
}

int cert_write_pem(const struct cert *c, struct buf *cert_pem,
	struct buf *key_pem)
{
	int rc = 0;

	if (cert_pem)
		rc = write_certs(c, cert_pem);
	if (!rc && key_pem)
		rc = write_key(c, key_pem);
	ERR_clear_error();
	return rc;
}

uint64_t cert_not_after_ms(const struct cert *c)
{
	return c->not_after_ms;
}

void cert_sha256(const struct cert *c, uint8_t out[static SHA256_BYTES])
{
	memcpy(out, c->sha256, SHA256_BYTES);
}

static const char label[] = "sha-256 ";

void cert_fingerprint(const struct cert *c, char out[static
	CERT_FINGERPRINT_CAP])
{
	static const char hex[] = "0123456789ABCDEF";
	char *p = out + sizeof label - 1;

	memcpy(out, label, sizeof label);
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		*p++ = hex[c->sha256[i] >> 4];
		*p++ = hex[c->sha256[i] & 15];
		*p++ = ':';
	}
	p[-1] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int cert_fingerprint_parse(const char *s, uint8_t out[static SHA256_BYTES])
{
	uint8_t v[SHA256_BYTES];
	const char *space = strchr(s, ' ');
	size_t n = space ? (size_t)(space - s) : 0;

	if (!n)
		return -EINVAL;
	if (n != sizeof label - 2 || strncasecmp(s, label, n))
		return -EPROTONOSUPPORT;
	s = space + 1;
	for (size_t i = 0; i < SHA256_BYTES; i++, s += 3) {
		int hi = nibble(s[0]), lo = hi < 0 ? -1 : nibble(s[1]);

		if (lo < 0 || s[2] != (i + 1 < SHA256_BYTES ? ':' : '\0'))
			return -EINVAL;
		v[i] = (uint8_t)(hi << 4 | lo);
	}
	memcpy(out, v, sizeof v);
	return 0;
}

struct x509_st *cert_x509(const struct cert *c)
{
	return c->x509;
}

struct evp_pkey_st *cert_pkey(const struct cert *c)
{
	return c->pkey;
}

struct x509_st *cert_chain(const struct cert *c, size_t i)
{
	if (i >= (size_t)MAX(sk_X509_num(c->chain), 0))
		return NULL;
	return sk_X509_value(c->chain, (int)i);
}
