/* text_qr - see text.h. */
#include <qrencode.h>

#include "base.h"
#include "text.h"

/* ISO/IEC 18004 asks for four modules of quiet zone; two are enough for
 * every reader tried and keep a long link within 80 columns. */
enum { QUIET = 2 };

/* The quiet zone is light, and so is the half cell below an odd height. */
static bool is_light(const QRcode *qr, int x, int y)
{
	if (x < 0 || y < 0 || x >= qr->width || y >= qr->width)
		return true;
	return !(qr->data[y * qr->width + x] & 1);
}

static const char *cell(bool upper, bool lower)
{
	static const char *const half[2][2] = {
		{" ", "\xe2\x96\x84"},            /* lower half block */
		{"\xe2\x96\x80", "\xe2\x96\x88"}, /* upper, full */
	};

	return half[upper][lower];
}

int text_qr(struct buf *out, const char *s, int ansi)
{
	size_t n = strlen(s);

	if (!n)
		return -EINVAL;
	if (n > TEXT_QR_MAX)
		return -EMSGSIZE;
	QRcode *qr = QRcode_encodeString8bit(s, 0, QR_ECLEVEL_L);
	if (!qr)
		return errno == ENOMEM ? -ENOMEM : -EINVAL;
	for (int y = -QUIET; y < qr->width + QUIET; y += 2) {
		if (ansi)
			buf_puts(out, "\x1b[40;97m");
		for (int x = -QUIET; x < qr->width + QUIET; x++)
			buf_puts(out, cell(is_light(qr, x, y),
				is_light(qr, x, y + 1)));
		buf_puts(out, ansi ? "\x1b[0m\n" : "\n");
	}
	QRcode_free(qr);
	return out->err;
}
