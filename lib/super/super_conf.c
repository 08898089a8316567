/* super_conf - confd-run's settings: environment over confkit.conf over
 * defaults. What [signal] and [relay] say is handed on as options, so that
 * a worker needs no configuration file of its own. */
#include "super_priv.h"

static const struct conf_key keys[] = {
	{"run", "rundir"}, {"run", "statedir"}, {"run", "http"},
	{"run", "media"}, {"run", "tls"}, {"run", "socket-group"},
	{"run", "sandbox"},
	{"signal", "url"}, {"signal", "www"}, {"signal", "sync"},
	{"signal", "tls-cert"}, {"signal", "tls-key"},
	{"signal", "allow-origin"}, {"signal", "frame-ancestors"},
	{"signal", "sandbox"},
	{"signal", "audit"}, {"signal", "limit-sources"},
	{"signal", "limit-requests"}, {"signal", "limit-loopback"},
	{"signal", "session-age"},
	{"signal", "base-path"}, {"signal", "trust-proxy"},
	{"signal", "metrics"},
	{"relay", "announce"}, {"relay", "sandbox"},
	{"template *", "argv"},
};

/* Of [signal], those that confd-signal reads again by itself. */
static const char *const live[] = {"url", "tls-cert", "tls-key",
	"allow-origin", "frame-ancestors", "trust-proxy"};

static bool is_live(const struct conf_key *k)
{
	for (size_t i = 0; i < ARRAY_LEN(live); i++)
		if (str_eq(k->section, "signal") && str_eq(k->key, live[i]))
			return true;
	return false;
}

void super_conf_changes(const struct conf *old, const struct conf *next)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct conf_key *k = &keys[i];
		const char *a = old ? conf_get(old, k->section, k->key) : NULL;
		const char *b = next ? conf_get(next, k->section, k->key) :
			NULL;

		/* Of two that are not set str_eq() is false. */
		if ((a || b) && !str_eq(a, b) && !is_live(k))
			io_log(IO_WARN, "'%s' of [%s] counts from the next "
				"start of %s on", k->key, k->section,
				str_eq(k->section, "run") ? "confd-run" :
				str_eq(k->section, "signal") ?
				"confd-signal" : "relay-0");
	}
}

struct source {
	const struct conf *conf; /* or NULL */
	const char *(*env)(const char *name);
	char *why;
};

/* A setting of [run]: the environment's, the file's, or NULL. */
static const char *lookup(const struct source *src, const char *key,
	const char *env_name, bool *from_env)
{
	const char *v = src->env(env_name);

	*from_env = v && *v;
	if (*from_env)
		return v;
	return src->conf ? conf_get(src->conf, "run", key) : NULL;
}

static int bad(const struct source *src, const char *key,
	const char *env_name, bool from_env, const char *what,
	const char *value)
{
	struct buf b = {0};

	str_escape(&b, value, strlen(value));
	const char *text = buf_cstr(&b);
	if (from_env)
		snprintf(src->why, CONF_WHY_CAP, "%s: '%s' is not %s",
			env_name, text ? text : "", what);
	else
		conf_bad(src->conf, "run", key, src->why, "'%s' is not %s",
			text ? text : "", what);
	buf_free(&b);
	return -EINVAL;
}

static int addresses(const struct source *src, const char *key,
	const char *env_name, const char *fallback, struct conf_words *out,
	bool *given)
{
	bool from_env;
	const char *v = lookup(src, key, env_name, &from_env);
	union io_addr a;
	int err;

	*given = v != NULL;
	err = conf_words(out, v ? v : fallback);
	if (err == -ENOMEM)
		return err;
	if (err || !out->n)
		return bad(src, key, env_name, from_env,
			"a list of ADDRESS:PORT", v);
	for (size_t i = 0; i < out->n; i++)
		if (io_addr_parse(&a, out->v[i]))
			return bad(src, key, env_name, from_env,
				"an ADDRESS:PORT", out->v[i]);
	return 0;
}

static int tls(const struct source *src, bool *out)
{
	bool from_env;
	const char *v = lookup(src, "tls", "CONF_TLS", &from_env);

	*out = !str_eq(v, "off");
	if (!v || !*out || str_eq(v, "on"))
		return 0;
	return bad(src, "tls", "CONF_TLS", from_env, "on or off", v);
}

static int sandbox(const struct source *src, bool *out)
{
	const char *v = src->conf ? conf_get(src->conf, "run", "sandbox") :
		NULL;

	*out = !str_eq(v, "off");
	if (!v || !*out || str_eq(v, "on"))
		return 0;
	return bad(src, "sandbox", NULL, false, "on or off", v);
}

static int push(struct conf_words *w, const char *prefix, const char *s)
{
	struct buf b = {0};
	int err = -ENOMEM;

	if (w->n == CONF_MAX_WORDS)
		return -E2BIG;
	buf_puts(&b, prefix);
	buf_puts(&b, s);
	const char *text = buf_cstr(&b);
	if (text && (w->v[w->n] = strdup(text))) {
		w->n++;
		err = 0;
	}
	buf_free(&b);
	return err;
}

/* Each word of "key = a b" becomes "--key", word. */
static int options(const struct source *src, const char *section,
	struct conf_words *out)
{
	const char *s, *k, *v;
	size_t pos = 0;
	int err = 0;

	while (!err && src->conf && conf_next(src->conf, &pos, &s, &k, &v)) {
		struct conf_words w;
		if (!str_eq(s, section))
			continue;
		err = conf_words(&w, v);
		for (size_t i = 0; !err && i < w.n; i++) {
			err = push(out, "--", k);
			if (!err)
				err = push(out, "", w.v[i]);
		}
		conf_words_free(&w);
		if (err && err != -ENOMEM)
			return conf_bad(src->conf, s, k, src->why,
				"not a list of words");
	}
	return err;
}

int super_settings(struct super_settings *out, const struct conf *c,
	const char *(*env)(const char *name), char why[CONF_WHY_CAP])
{
	struct source src = {c, env, why};
	int err = c ? conf_check(c, keys, ARRAY_LEN(keys), why) : 0;

	*out = (struct super_settings){0};
	if (!err) {
		snprintf(why, CONF_WHY_CAP, "out of memory");
		err = tls(&src, &out->tls);
	}
	if (!err)
		err = sandbox(&src, &out->sandbox);
	/* Without TLS a network would see the token of a join link: then the
	 * default is loopback alone. */
	if (!err)
		err = addresses(&src, "http", "CONF_HTTP", out->tls ?
			"*:8443 [::]:8443" : "127.0.0.1:8443 [::1]:8443",
			&out->http, &out->http_given);
	if (!err)
		err = addresses(&src, "media", "CONF_MEDIA",
			"*:8500 [::]:8500", &out->media, &out->media_given);
	if (!err)
		err = options(&src, "signal", &out->signal);
	if (!err)
		err = options(&src, "relay", &out->relay);
	if (!err && c) {
		out->rundir = conf_get(c, "run", "rundir");
		out->statedir = conf_get(c, "run", "statedir");
		out->socket_group = conf_get(c, "run", "socket-group");
	}
	if (err)
		super_settings_free(out);
	return err;
}

void super_settings_free(struct super_settings *set)
{
	conf_words_free(&set->http);
	conf_words_free(&set->media);
	conf_words_free(&set->signal);
	conf_words_free(&set->relay);
	free(set->file);
	set->file = NULL;
}

int super_templates(struct super *s, const struct conf *c,
	char why[CONF_WHY_CAP])
{
	static const char prefix[] = "template ";
	const char *section, *k, *v;
	size_t pos = 0;

	while (conf_next(c, &pos, &section, &k, &v)) {
		struct conf_words w;
		if (!str_starts(section, prefix))
			continue;
		int err = conf_words(&w, v);
		if (!err)
			err = super_template(s,
				section + sizeof(prefix) - 1, &w);
		conf_words_free(&w);
		if (err == -ENOMEM) {
			snprintf(why, CONF_WHY_CAP, "out of memory");
			return err;
		}
		if (err)
			return conf_bad(c, section, k, why, "the template's "
				"name is no id, or its words are malformed");
	}
	return 0;
}
