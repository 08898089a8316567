/* The pages of log.db and the frames of its WAL, as far as they can be
 * read. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "store_page_priv.h"

static int open_one(const struct store *s, const char *name)
{
	char path[STORE_PATH];
	int fd;

	store_path(s, path, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 && errno != ENOENT ? -errno : fd;
}

/* A bad spot on the disk costs what is behind it on this page only. */
static void read_page(int fd, uint8_t out[static STORE_PAGE], off_t at)
{
	size_t got = 0;

	while (got < STORE_PAGE) {
		ssize_t n = pread(fd, out + got, STORE_PAGE - got,
			at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	memset(out + got, 0, STORE_PAGE - got);
}

static off_t frame_at(uint32_t frame)
{
	return (off_t)WAL_HEAD + (off_t)frame * WAL_FRAME;
}

static int list_frames(struct store_source *src)
{
	uint8_t h[4];

	src->pgno = calloc(src->look.end + 1, sizeof(*src->pgno));
	if (!src->pgno)
		return -ENOMEM;
	for (uint32_t i = 0; i < src->look.end; i++)
		if (pread(src->wal, h, 4, frame_at(i)) == 4)
			src->pgno[i] = be32(h);
	return 0;
}

int store_source_open(struct store_source *src, const struct store *s)
{
	struct stat st;
	int err = 0;

	*src = (struct store_source){.db = -1, .wal = -1};
	src->db = open_one(s, "log.db");
	src->wal = src->db < -1 ? -1 : open_one(s, "log.db-wal");
	if (src->db < -1 || src->wal < -1)
		err = src->db < -1 ? src->db : src->wal;
	if (!err && src->db >= 0 && fstat(src->db, &st) == 0)
		src->n_db = (uint32_t)MIN((st.st_size + STORE_PAGE - 1) /
			STORE_PAGE, UINT32_MAX);
	if (!err)
		err = store_wal_look(src->wal, &src->look);
	if (!err)
		err = list_frames(src);
	if (err)
		store_source_close(src);
	return err;
}

void store_source_close(struct store_source *src)
{
	if (src->db >= 0)
		close(src->db);
	if (src->wal >= 0)
		close(src->wal);
	free(src->pgno);
	buf_free(&src->text);
	*src = (struct store_source){.db = -1, .wal = -1};
}

void store_source_frame(struct store_source *src, uint32_t frame)
{
	read_page(src->wal, src->page, frame_at(frame) + 24);
}

void store_source_db(struct store_source *src, uint32_t pgno)
{
	read_page(src->db, src->page, (off_t)(pgno - 1) * STORE_PAGE);
}

bool store_source_copy(struct store_source *src, uint32_t pgno, unsigned age,
	uint8_t out[static STORE_PAGE])
{
	for (uint32_t i = src->look.sound; i-- > 0;) {
		if (src->pgno[i] != pgno || age--)
			continue;
		read_page(src->wal, out, frame_at(i) + 24);
		return true;
	}
	if (age || !pgno || pgno > src->n_db)
		return false;
	read_page(src->db, out, (off_t)(pgno - 1) * STORE_PAGE);
	return true;
}

uint32_t store_source_pages(const struct store_source *src)
{
	uint32_t n = src->n_db;

	/* A flipped bit does not make a database of terabytes. */
	for (uint32_t i = 0; i < src->look.sound; i++)
		if (src->pgno[i] > n && src->pgno[i] <= src->n_db +
			src->look.sound)
			n = src->pgno[i];
	return n;
}
