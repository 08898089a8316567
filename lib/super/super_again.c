/* super_again - SIGHUP: the configuration is read again, and what can count
 * without a restart does. */
#include <signal.h>

#include "super_priv.h"

static void move_all(struct list *to, struct list *from)
{
	list_each(l, next, from) {
		list_remove(l);
		list_append(to, l);
	}
}

/* The templates of conf in place of those there are. What runs of them goes
 * on, with the words that it was started with. */
static int new_templates(struct super *s, const struct conf *conf,
	char why[SUPER_WHY_CAP])
{
	char words[CONF_WHY_CAP];
	struct list former;
	int err;

	list_init(&former);
	move_all(&former, &s->templates);
	err = conf ? super_templates(s, conf, words) : 0;
	if (err) {
		super_templates_clear(&s->templates);
		move_all(&s->templates, &former);
		snprintf(why, SUPER_WHY_CAP, "%s", words);
		return 2;
	}
	super_templates_clear(&former);
	return 0;
}

/* What a static worker is started with the next time. */
static void new_words(struct super *s, const char *name,
	const char *const *argv)
{
	struct worker *w = super_find(s, name);
	char **words = w ? super_words_copy(argv) : NULL;

	if (!words)
		return; /* then with those it has */
	super_words_free(w->argv);
	w->argv = words;
}

static void swap(struct conf_words *a, struct conf_words *b)
{
	struct conf_words c = *a;

	*a = *b;
	*b = c;
}

/* Of a configuration that was not there at the start confd-signal has not
 * been told, nor does its sandbox let it look. */
static void new_file(struct super_settings *set, const struct conf *conf,
	const struct conf *now, struct super_settings *next)
{
	if (conf || !now)
		return;
	io_log(IO_WARN, "'%s' was not there at the start: all of [signal] in "
		"it counts from the next start of confd-signal on",
		next->file);
	free(set->file);
	set->file = next->file;
	next->file = NULL;
}

static int again(struct super *s, struct super_settings *set,
	const struct super_dirs *d, const char *file, const struct conf *conf,
	const char *talk, char why[SUPER_WHY_CAP])
{
	struct super_settings next = {0};
	struct super_kit_argv argv;
	struct conf *now;
	int status = super_configure(file, &now, &next, why);

	if (!status)
		status = new_templates(s, now, why);
	if (!status) {
		/* What [run] says was settled at the start. */
		swap(&set->signal, &next.signal);
		swap(&set->relay, &next.relay);
		io_log(IO_INFO, "read again: %s", next.file ? next.file :
			"no configuration");
		new_file(set, conf, now, &next);
		super_kit_argv(set, d, talk, &argv);
		new_words(s, "confd-signal", argv.signal);
		new_words(s, "relay-0", argv.relay);
		super_conf_changes(conf, now);
	}
	super_settings_free(&next);
	conf_free(now);
	return status;
}

int super_again(struct super *s, struct super_settings *set,
	const struct super_dirs *d, const char *file, const struct conf *conf,
	const char *talk, char why[SUPER_WHY_CAP])
{
	int status;

	if (s->stopping)
		return 0;
	status = again(s, set, d, file, conf, talk, why);
	/* The file may be bad and the certificate new all the same. One that
	 * is not ready may not yet know what to do with a signal. */
	list_each(l, next, &s->workers) {
		struct worker *w = list_entry(l, struct worker, in_table);

		w->again = w->state == WORKER_STARTING;
		if (w->state == WORKER_READY)
			kill(w->pid, SIGHUP);
	}
	return status;
}
