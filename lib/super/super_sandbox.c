/* super_sandbox - from where confd-run and all that it starts may run
 * programs: the directories of PATH, and those of programs that templates
 * name in full. What the system has of its own is in io's table. */
#include "super_priv.h"

#define MAX_DIRS 128

struct dirs {
	struct io_sandbox_path path[MAX_DIRS];
	size_t n;
	struct buf text; /* the strings, each with its NUL */
};

static void add(struct dirs *d, const char *s, size_t n)
{
	if (!n || d->n == MAX_DIRS)
		return;
	d->path[d->n++].place = IO_PLACE_PROGRAMS;
	buf_put(&d->text, s, n);
	buf_putc(&d->text, '\0');
}

static void add_search(struct dirs *d, const char *path)
{
	while (path && *path) {
		size_t n = strcspn(path, ":");

		add(d, path, n);
		path += n + (path[n] == ':');
	}
}

/* A directory that a variable names is not known before it is asked for. */
static int add_templates(struct dirs *d, const struct conf *conf)
{
	const char *section, *key, *value;
	size_t pos = 0;
	int err = 0;

	while (!err && conf && conf_next(conf, &pos, &section, &key, &value)) {
		struct conf_words w;

		if (!str_starts(section, "template "))
			continue;
		err = conf_words(&w, value);
		const char *slash = !err && w.n ? strrchr(w.v[0], '/') : NULL;

		if (slash && !strchr(w.v[0], '%'))
			add(d, w.v[0], (size_t)(slash - w.v[0]));
		conf_words_free(&w);
	}
	return err;
}

int super_sandbox(const struct super_settings *set, const struct conf *conf,
	struct buf *selftest)
{
	struct dirs d = {0};
	struct io_sandbox s = {.role = IO_ROLE_RUN, .off = !set->sandbox,
		.paths = d.path};
	int err;

	add_search(&d, getenv("PATH"));
	err = add_templates(&d, conf);
	if (!err)
		err = d.text.err;
	const char *text = (const char *)d.text.data;

	for (size_t i = 0; !err && i < d.n; i++) {
		d.path[i].path = text;
		text += strlen(text) + 1;
	}
	s.n_paths = d.n;
	if (!err)
		err = selftest ? io_sandbox_selftest(&s, selftest) :
			io_sandbox_enter(&s);
	buf_free(&d.text);
	return err;
}
