/* cert_make - a new key and a certificate that it signs itself. */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base.h"
#include "cert_priv.h"

#define SERIAL_BYTES 16 /* positive and at most 20, RFC 5280 4.1.2.2 */
#define LABEL_MAX    63 /* RFC 1035 */
#define HOST_MAX     253

static bool host_ok(const char *s)
{
	size_t n = strlen(s), label = 0;

	if (!n || n > HOST_MAX)
		return false;
	for (; *s; s++) {
		bool dot = *s == '.';
		bool alnum = (*s >= '0' && *s <= '9') ||
			(*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');

		if (!dot && !alnum && *s != '-' && *s != '_')
			return false;
		if (dot && !label)
			return false;
		label = dot ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
	}
	return true;
}

/* Built by hand rather than from OpenSSL's configuration strings, in which
 * a name with a comma would be two names. */
static int add_san(GENERAL_NAMES *names, const char *s)
{
	GENERAL_NAME *g;
	ASN1_STRING *v = a2i_IPADDRESS(s);
	int type = GEN_IPADD;

	if (!v) {
		if (!host_ok(s))
			return -EINVAL;
		type = GEN_DNS;
		v = ASN1_IA5STRING_new();
		if (!v || ASN1_STRING_set(v, s, -1) != 1) {
			ASN1_STRING_free(v);
			return -ENOMEM;
		}
	}
	g = GENERAL_NAME_new();
	if (!g) {
		ASN1_STRING_free(v);
		return -ENOMEM;
	}
	GENERAL_NAME_set0_value(g, type, v);
	if (!sk_GENERAL_NAME_push(names, g)) {
		GENERAL_NAME_free(g);
		return -ENOMEM;
	}
	return 0;
}

static int set_sans(X509 *x, const struct cert_spec *s)
{
	GENERAL_NAMES *names;
	int rc = 0;

	if (!s->n_sans)
		return 0;
	names = sk_GENERAL_NAME_new_null();
	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_sans && !rc; i++)
		rc = add_san(names, s->sans[i]);
	if (!rc && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) != 1)
		rc = -EIO;
	GENERAL_NAMES_free(names);
	return rc;
}

static int set_name(X509 *x, const char *cn)
{
	X509_NAME *n = X509_get_subject_name(x);

	if (X509_NAME_add_entry_by_NID(n, NID_commonName, MBSTRING_UTF8,
		(const unsigned char *)cn, -1, -1, 0) != 1 ||
	    X509_set_issuer_name(x, n) != 1)
		return -EIO;
	return 0;
}

static int set_serial(X509 *x)
{
	uint8_t b[SERIAL_BYTES];
	BIGNUM *n;
	int rc = -EIO;

	if (RAND_bytes(b, sizeof b) != 1)
		return -EIO;
	b[0] = (b[0] & 0x7f) | 0x40;
	n = BN_bin2bn(b, sizeof b, NULL);
	if (n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)))
		rc = 0;
	BN_free(n);
	return rc;
}

static int set_times(X509 *x, const struct cert_spec *s)
{
	if (!ASN1_TIME_set(X509_getm_notBefore(x),
		(time_t)(s->not_before_ms / 1000)) ||
	    !ASN1_TIME_set(X509_getm_notAfter(x),
		(time_t)(s->not_after_ms / 1000)))
		return -EINVAL;
	return 0;
}

/* Constant texts only. */
static int set_ext(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int rc = e && X509_add_ext(x, e, -1) == 1 ? 0 : -EIO;

	X509_EXTENSION_free(e);
	return rc;
}

static int build(X509 *x, EVP_PKEY *k, const struct cert_spec *s)
{
	int rc = set_serial(x);

	if (!rc)
		rc = set_times(x, s);
	if (!rc)
		rc = set_name(x, s->cn);
	if (!rc)
		rc = set_sans(x, s);
	if (!rc)
		rc = set_ext(x, NID_basic_constraints, "critical,CA:FALSE");
	if (!rc)
		rc = set_ext(x, NID_key_usage, "critical,digitalSignature");
	if (!rc)
		rc = set_ext(x, NID_ext_key_usage, "serverAuth,clientAuth");
	if (!rc && (X509_set_version(x, X509_VERSION_3) != 1 ||
		    X509_set_pubkey(x, k) != 1 ||
		    X509_sign(x, k, EVP_sha256()) <= 0))
		rc = -EIO;
	return rc;
}

struct cert *cert_make(const struct cert_spec *spec)
{
	size_t n = spec->cn ? strlen(spec->cn) : 0;
	struct cert *c = NULL;
	EVP_PKEY *k = NULL;
	X509 *x = NULL;
	int rc = -EINVAL;

	if (!n || n > 64 || !str_utf8_ok(spec->cn, n) ||
	    spec->not_after_ms <= spec->not_before_ms)
		goto out;
	rc = -EIO;
	k = EVP_EC_gen("P-256");
	x = X509_new();
	if (!k || !x)
		goto out;
	rc = build(x, k, spec);
	if (rc)
		goto out;
	c = cert_of(x, k);
	rc = c ? 0 : -errno;
	x = NULL;
	k = NULL;
out:
	X509_free(x);
	EVP_PKEY_free(k);
	ERR_clear_error();
	if (!c)
		errno = -rc;
	return c;
}
