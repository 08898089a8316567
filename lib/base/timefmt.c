/* RFC 3339 times, by the civil-calendar arithmetic of the proleptic
 * Gregorian calendar in 400-year eras. */
#include "base.h"

#define MAX_MS UINT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Days since 1970-01-01; years count from March so that the leap day is the
 * last of its year. */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
	int64_t era;
	unsigned yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = (unsigned)(y - era * 400);
	doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void time_format(char out[TIME_CAP], uint64_t ms)
{
	uint64_t s, days, doe, yoe, doy, mp, y;
	unsigned m, d, of_day, milli;

	ms = MIN(ms, MAX_MS);
	milli = (unsigned)(ms % 1000);
	s = ms / 1000;
	of_day = (unsigned)(s % 86400);
	days = s / 86400 + 719468;
	doe = days % 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	y = yoe + days / 146097 * 400 + (m <= 2);
	snprintf(out, TIME_CAP, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		(unsigned)y % 10000, m % 100, d % 100, of_day / 3600 % 100,
		of_day / 60 % 60, of_day % 60, milli);
}

/* n digits at *s as a number; moves *s; -1 when they are not there. */
static int digits(const char **s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v;
}

static unsigned days_in(int y, int m)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap ? 1u : 0u);
}

/* "Z", "z", "+08:00", "-05:30": seconds east of Greenwich. */
static int parse_offset(const char *s, int *out_s)
{
	int sign, h, m;

	if (str_eq(s, "Z") || str_eq(s, "z")) {
		*out_s = 0;
		return 0;
	}
	if (*s != '+' && *s != '-')
		return -EINVAL;
	sign = *s++ == '-' ? -1 : 1;
	h = digits(&s, 2);
	if (h < 0 || h > 23 || *s++ != ':')
		return -EINVAL;
	m = digits(&s, 2);
	if (m < 0 || m > 59 || *s)
		return -EINVAL;
	*out_s = sign * (h * 3600 + m * 60);
	return 0;
}

static int parse_milli(const char **s)
{
	int milli = 0, n = 0;

	if (**s != '.')
		return 0;
	for ((*s)++; **s >= '0' && **s <= '9' && n < 9; (*s)++, n++)
		if (n < 3)
			milli = milli * 10 + (**s - '0');
	if (n == 0)
		return -1;
	for (; n < 3; n++)
		milli *= 10;
	return milli;
}

int time_parse(const char *s, uint64_t *out_ms)
{
	int f[6], milli, offset;
	static const char after[] = "--T::";
	int64_t t;

	for (int i = 0; i < 6; i++) {
		f[i] = digits(&s, i == 0 ? 4 : 2);
		if (f[i] < 0)
			return -EINVAL;
		if (i < 5 && *s != after[i] && !(i == 2 && *s == 't'))
			return -EINVAL;
		if (i < 5)
			s++;
	}
	if (f[1] < 1 || f[1] > 12 || f[2] < 1 ||
		(unsigned)f[2] > days_in(f[0], f[1]) || f[3] > 23 ||
		f[4] > 59 || f[5] > 60)
		return -EINVAL;
	milli = parse_milli(&s);
	if (milli < 0 || parse_offset(s, &offset))
		return -EINVAL;
	t = days_of(f[0], (unsigned)f[1], (unsigned)f[2]) * 86400 +
		f[3] * 3600 + f[4] * 60 + f[5] - offset;
	if (t < 0)
		return -EINVAL;
	*out_ms = (uint64_t)t * 1000 + (uint64_t)milli;
	return *out_ms > MAX_MS ? -EINVAL : 0;
}
