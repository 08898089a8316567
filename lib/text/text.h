/* text - QR codes as text for a terminal (over libqrencode).
 *
 * Units: a module is one square of the code. A character cell shows two
 * modules, one above the other, as a UTF-8 half block.
 */
#ifndef TEXT_H
#define TEXT_H

struct buf;

/* Bytes of the longest string that is drawn: what fits a code that an 80
 * column terminal shows with its quiet zone (version 14, level L). */
#define TEXT_QR_MAX  458

/* Appends the code of s (8-bit, error correction level L) with the quiet
 * zone of two modules, as lines that end in a line break. The light modules
 * are drawn, the dark ones left: right for light text on a dark ground; a
 * reader takes the inverse as well. With ansi each line is wrapped in
 * SGR 40;97 (white on black), so that the colours of the terminal do not
 * matter. -EMSGSIZE when s is longer than TEXT_QR_MAX, -EINVAL when it is
 * empty, -ENOMEM. */
int text_qr(struct buf *out, const char *s, int ansi);

#endif
