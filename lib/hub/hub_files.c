/* The files of a server: keys of tokens and workers, its certificate. */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>
#include "hub_priv.h"

#define DAY_MS    UINT64_C(86400000)
#define CERT_DAYS 397 /* what browsers accept at most */
#define SANS      64

static int fail(char why[256], int err, const char *what, const char *path)
{
	snprintf(why, 256, "cannot use %s '%.180s': %s", what, path,
		err == -EACCES ? "others can read it" :
		err == -EINVAL ? "it is malformed" : strerror(-err));
	return err;
}

static void wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->len);
	buf_free(b);
}

/* --- Tokens --------------------------------------------------------------- */

static int read_key(const char *path, struct token_key *out)
{
	struct buf b = {0};
	int err = io_file_read(path, 4096, true, &b);

	if (!err)
		err = token_key_read(out, (const char *)b.data, b.len);
	wipe(&b);
	return err;
}

static int write_key(const char *path, const struct token_key *k)
{
	struct buf b = {0};
	int err;

	token_key_write(k, &b);
	err = b.err ? b.err : io_file_write(path, 0600, b.data, b.len);
	wipe(&b);
	return err;
}

static int make_key(const char *path, struct token_key *out)
{
	uint8_t random[TOKEN_KEY_BYTES];
	int err;

	io_random(random, sizeof(random));
	err = token_key_make(out, random);
	if (!err)
		err = write_key(path, out);
	explicit_bzero(random, sizeof(random));
	return err;
}

int hub_token_keys(const char *state_dir, struct token_keys *out,
	char why[256])
{
	char path[4096 + 32];
	int err;

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "%.4095s/keys", state_dir);
	err = io_mkdirs(path, 0700);
	if (err)
		return fail(why, err, "folder", path);
	snprintf(path, sizeof(path), "%.4095s/keys/token.cur", state_dir);
	err = read_key(path, &out->cur);
	if (err == -ENOENT)
		err = make_key(path, &out->cur);
	if (err)
		return fail(why, err, "key", path);
	snprintf(path, sizeof(path), "%.4095s/keys/token.prev", state_dir);
	err = read_key(path, &out->prev);
	if (err && err != -ENOENT)
		return fail(why, err, "key", path);
	return 0;
}

int hub_token_keys_rotate(const char *state_dir, struct token_keys *k,
	char why[256])
{
	struct token_key next;
	char path[4096 + 32];
	int err;

	snprintf(path, sizeof(path), "%.4095s/keys/token.prev", state_dir);
	err = write_key(path, &k->cur);
	if (err)
		return fail(why, err, "key", path);
	snprintf(path, sizeof(path), "%.4095s/keys/token.cur", state_dir);
	err = make_key(path, &next);
	if (!err) {
		k->prev = k->cur;
		k->cur = next;
	}
	explicit_bzero(&next, sizeof(next));
	return err ? fail(why, err, "key", path) : 0;
}

/* --- Workers -------------------------------------------------------------- */

int hub_worker_key(const char *path, uint8_t out[static HUB_KEY_BYTES])
{
	char hex[2 * HUB_KEY_BYTES + 2];
	struct buf b = {0};
	int err = io_file_read(path, 4096, true, &b);

	if (!err) {
		while (b.len && isspace(b.data[b.len - 1]))
			b.len--;
		err = buf_cstr(&b) ? str_unhex(out, HUB_KEY_BYTES,
			(const char *)b.data) : -ENOMEM;
	} else if (err == -ENOENT) {
		io_random(out, HUB_KEY_BYTES);
		str_hex(hex, out, HUB_KEY_BYTES);
		hex[2 * HUB_KEY_BYTES] = '\n';
		err = io_file_write(path, 0600, hex, 2 * HUB_KEY_BYTES + 1);
		explicit_bzero(hex, sizeof(hex));
	}
	wipe(&b);
	return err;
}

/* --- Certificates --------------------------------------------------------- */

struct cert *hub_cert_read(const char *cert_path, const char *key_path,
	char why[256])
{
	struct buf cert = {0}, key = {0};
	struct cert *c = NULL;
	int err = io_file_read(cert_path, 1 << 20, false, &cert);

	if (err) {
		fail(why, err, "certificate", cert_path);
		goto out;
	}
	err = io_file_read(key_path, 1 << 20, true, &key);
	if (err) {
		fail(why, err, "key", key_path);
		goto out;
	}
	c = cert_read_pem(cert.data, cert.len, key.data, key.len);
	err = c ? 0 : -errno;
	if (err)
		snprintf(why, 256, "'%.100s' and '%.100s' are no certificate "
			"and its key in PEM", cert_path, key_path);
out:
	buf_free(&cert);
	wipe(&key);
	errno = -err;
	return c;
}

static bool is_host(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-.", *p))
			return false;
	return isalnum((unsigned char)*s);
}

static struct cert *make_cert(void)
{
	char text[SANS][IO_ADDR_CAP], host[256] = "";
	const char *sans[SANS + 2] = {"localhost"};
	union io_addr local[SANS];
	uint64_t now = io_wall_ms();
	struct cert_spec spec = {.cn = "confkit", .sans = sans, .n_sans = 1,
		.not_before_ms = now - DAY_MS,
		.not_after_ms = now + CERT_DAYS * DAY_MS};
	int n = io_addr_local(local, SANS);

	gethostname(host, sizeof(host) - 1);
	if (is_host(host) && strcmp(host, "localhost") != 0)
		sans[spec.n_sans++] = host;
	for (int i = 0; i < n; i++) {
		io_addr_host(text[i], &local[i]);
		sans[spec.n_sans++] = text[i];
	}
	return cert_make(&spec);
}

static int write_cert(const struct cert *c, const char *cert_path,
	const char *key_path)
{
	struct buf cert = {0}, key = {0};
	int err = cert_write_pem(c, &cert, &key);

	if (!err)
		err = io_file_write(key_path, 0600, key.data, key.len);
	if (!err)
		err = io_file_write(cert_path, 0600, cert.data, cert.len);
	buf_free(&cert);
	wipe(&key);
	return err;
}

struct cert *hub_cert_own(const char *state_dir, char why[256])
{
	char dir[4096 + 32], cert_path[4096 + 64], key_path[4096 + 64];
	struct cert *c;
	int err;

	snprintf(dir, sizeof(dir), "%.4095s/tls", state_dir);
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", dir);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", dir);
	if (access(cert_path, F_OK) == 0 && access(key_path, F_OK) == 0) {
		c = hub_cert_read(cert_path, key_path, why);
		if (!c || cert_not_after_ms(c) > io_wall_ms() + 30 * DAY_MS)
			return c;
		cert_free(c);
	}
	c = make_cert();
	err = c ? io_mkdirs(dir, 0700) : -errno;
	if (!err)
		err = write_cert(c, cert_path, key_path);
	if (!err)
		return c;
	cert_free(c);
	fail(why, err, "certificate", cert_path);
	errno = -err;
	return NULL;
}
