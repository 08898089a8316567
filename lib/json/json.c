/* Strict reading and stable writing over jansson. */
#include "base.h"
#include "json.h"

/* jansson nests to 2,048; ours is checked before it recurses. */
static bool too_deep(const uint8_t *p, size_t n)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (quoted) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				quoted = false;
		} else if (p[i] == '"') {
			quoted = true;
		} else if (p[i] == '{' || p[i] == '[') {
			if (++depth > JSON_MAX_DEPTH)
				return true;
		} else if ((p[i] == '}' || p[i] == ']') && depth) {
			depth--;
		}
	}
	return false;
}

json_t *json_read_max(const void *p, size_t n, size_t max_bytes,
	char why[160])
{
	json_error_t e;
	json_t *v;

	why[0] = 0;
	if (n > max_bytes) {
		snprintf(why, 160, "longer than %zu bytes", max_bytes);
		errno = EMSGSIZE;
		return NULL;
	}
	if (too_deep(p, n)) {
		snprintf(why, 160, "nested deeper than %d", JSON_MAX_DEPTH);
		errno = EINVAL;
		return NULL;
	}
	v = json_loadb(n ? p : "", n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
		&e);
	if (!v) {
		/* What is wrong with the text it always says; of memory that
		 * was not there it mostly says nothing. */
		bool no_memory = !*e.text ||
			json_error_code(&e) == json_error_out_of_memory;

		snprintf(why, 160, "byte %d: %.120s", e.position,
			no_memory ? "out of memory" : e.text);
		errno = no_memory ? ENOMEM : EINVAL;
	}
	return v;
}

json_t *json_read(const void *p, size_t n, char why[160])
{
	return json_read_max(p, n, JSON_MAX_BYTES, why);
}

static int put(const char *p, size_t n, void *arg)
{
	struct buf *out = arg;

	buf_put(out, p, n);
	return out->err;
}

int json_write(const json_t *v, struct buf *out)
{
	if (json_dump_callback(v, put, out, JSON_COMPACT | JSON_ENCODE_ANY))
		return out->err ? out->err : -EINVAL;
	return 0;
}

/* The member, or NULL when it is missing or null; notes a foreign type. */
static json_t *member(const char *key, json_t *v, bool right_type,
	const char **bad)
{
	if (!v || json_is_null(v))
		return NULL;
	if (right_type)
		return v;
	if (bad && !*bad)
		*bad = key;
	return NULL;
}

const char *json_str(const json_t *o, const char *key, const char **bad)
{
	json_t *v = json_object_get(o, key);

	return json_string_value(member(key, v, json_is_string(v), bad));
}

int64_t json_int(const json_t *o, const char *key, int64_t fallback,
	const char **bad)
{
	json_t *v = json_object_get(o, key);

	v = member(key, v, json_is_integer(v), bad);
	return v ? (int64_t)json_integer_value(v) : fallback;
}

bool json_flag(const json_t *o, const char *key, bool fallback,
	const char **bad)
{
	json_t *v = json_object_get(o, key);

	v = member(key, v, json_is_boolean(v), bad);
	return v ? json_is_true(v) : fallback;
}

json_t *json_obj(const json_t *o, const char *key, const char **bad)
{
	json_t *v = json_object_get(o, key);

	return member(key, v, json_is_object(v), bad);
}

json_t *json_arr(const json_t *o, const char *key, const char **bad)
{
	json_t *v = json_object_get(o, key);

	return member(key, v, json_is_array(v), bad);
}
