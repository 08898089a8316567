/* super_tmpl - templates: argv lists with variables. */
#include "super_priv.h"

#define MAX_VAR 47

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		c == '-' || c == '_';
}

/* Reads the name of "%{name}" at p into name; returns what follows the
 * brace, or NULL when it is malformed. */
static const char *read_name(const char *p, char name[MAX_VAR + 1])
{
	size_t n = 0;

	for (p += 2; is_name_char(*p) && n < MAX_VAR; p++)
		name[n++] = *p;
	name[n] = '\0';
	return n && *p == '}' ? p + 1 : NULL;
}

int super_expand(const char *word,
	const char *(*get)(void *arg, const char *name), void *arg,
	char missing[48], char **out)
{
	struct buf b = {0};
	int err = 0;

	missing[0] = '\0';
	while (*word) {
		if (word[0] != '%' || word[1] != '{') {
			buf_putc(&b, *word++);
			continue;
		}
		word = read_name(word, missing);
		if (!word) {
			err = -EINVAL;
			goto out;
		}
		const char *value = get(arg, missing);
		if (!value) {
			err = -ENOENT;
			goto out;
		}
		buf_puts(&b, value);
	}
	const char *text = buf_cstr(&b);
	*out = text ? strdup(text) : NULL;
	err = *out ? 0 : -ENOMEM;
out:
	buf_free(&b);
	return err;
}

bool super_is_var(const char *value)
{
	return str_is_meeting_id(value) || (value[0] >= 'a' &&
		value[0] <= 'z' && str_is_id(value, value[0]));
}

struct template *super_template_find(const struct super *s, const char *name)
{
	list_each(l, next, &s->templates) {
		struct template *t = list_entry(l, struct template, in_super);
		if (str_eq(t->name, name))
			return t;
	}
	return NULL;
}

static void template_free(struct template *t)
{
	super_words_free(t->argv);
	free(t->name);
	free(t);
}

static const char *any_value(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return "x";
}

/* A variable with no closing brace is found when the file is read and not
 * when a meeting needs the template. */
static int check_words(const struct conf_words *argv)
{
	for (size_t i = 0; i < argv->n; i++) {
		char missing[48], *word;
		int err = super_expand(argv->v[i], any_value, NULL, missing,
			&word);
		if (err)
			return err;
		free(word);
	}
	return argv->n ? 0 : -EINVAL;
}

int super_template(struct super *s, const char *name,
	const struct conf_words *argv)
{
	struct template *t;
	int err = check_words(argv);

	if (!str_is_meeting_id(name))
		return -EINVAL;
	if (err)
		return err;
	if (super_template_find(s, name))
		return -EEXIST;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->name = strdup(name);
	t->argv = super_words_copy((const char *const *)argv->v);
	if (!t->name || !t->argv) {
		template_free(t);
		return -ENOMEM;
	}
	list_append(&s->templates, &t->in_super);
	return 0;
}

int super_var(struct super *s, const char *name, const char *value)
{
	struct super_var *v = &s->vars[s->n_vars];

	if (s->n_vars == SUPER_MAX_VARS)
		return -ENOSPC;
	v->name = strdup(name);
	v->value = strdup(value);
	if (!v->name || !v->value) {
		free(v->name);
		free(v->value);
		return -ENOMEM;
	}
	s->n_vars++;
	return 0;
}

const char *super_var_get(const struct super *s, const char *name)
{
	for (unsigned i = 0; i < s->n_vars; i++)
		if (str_eq(s->vars[i].name, name))
			return s->vars[i].value;
	return NULL;
}

void super_templates_clear(struct list *templates)
{
	list_each(l, next, templates) {
		struct template *t = list_entry(l, struct template, in_super);
		list_remove(l);
		template_free(t);
	}
}

void super_templates_free(struct super *s)
{
	for (; s->n_vars; s->n_vars--) {
		free(s->vars[s->n_vars - 1].name);
		free(s->vars[s->n_vars - 1].value);
	}
	super_templates_clear(&s->templates);
}
