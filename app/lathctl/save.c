/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Replacing a file so that there is always a whole one: a new one is written beside it, synced,
 * checked where it lies (what it includes is relative to its folder) and renamed; then the folder
 * is synced.
 */

#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lath_config.h>

#include "lathctl.h"

static int
fail(struct lathctl *ctl, const char *path, const char *what)
{
	lathctl_error(ctl, LATH_RPC_DENIED, NULL, "%s: %s: %s; nothing was changed", path, what,
			strerror(errno));
	return LATHCTL_FAILED;
}

/* 0, or -1 and errno. */
static int
copy_file(const char *from, int out)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	char block[65536];
	ssize_t n = 1;

	if (in < 0)
		return -1;
	while (n > 0) {
		char *at = block;

		n = read(in, block, sizeof(block));
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		for (ssize_t left = n; left > 0;) {
			ssize_t done = write(out, at, (size_t)left);

			if (done < 0 && errno == EINTR)
				continue;
			if (done < 0) {
				n = -1;
				break;
			}
			at += done;
			left -= done;
		}
	}
	close(in); /* Read only: nothing can be lost. */
	return n < 0 ? -1 : 0;
}

/* Fills the new file, with the old one's mode and, where that is allowed, its owner. */
static int
fill(struct lathctl *ctl, const struct lathctl_draft *draft, const char *from, int fd)
{
	struct stat old;
	int rc = 0;

	if (copy_file(from, fd) != 0)
		rc = fail(ctl, draft->draft, "cannot be written");
	else if (stat(draft->path, &old) == 0 &&
			((fchown(fd, old.st_uid, old.st_gid) != 0 && errno != EPERM) ||
					fchmod(fd, old.st_mode & 07777) != 0))
		rc = fail(ctl, draft->draft, "cannot get the old one's owner and mode");
	else if (fsync(fd) != 0)
		rc = fail(ctl, draft->draft, "cannot be written");
	if (close(fd) != 0 && rc == 0)
		rc = fail(ctl, draft->draft, "cannot be written");
	return rc;
}

/* Does it mean, where it lies now, what was meant? */
static int
verify(struct lathctl *ctl, const struct lathctl_draft *draft, const char *sha256)
{
	struct lath_error err = {0};
	struct lath_config *cfg = lath_config_load(draft->draft, &err);
	bool same = cfg != NULL && strcmp(cfg->sha256, sha256) == 0;

	if (cfg == NULL)
		lathctl_error_config(ctl, &err);
	else if (!same)
		lathctl_error(ctl, LATH_RPC_REFUSED, NULL,
				"in the folder of %s other files are included than where you have "
				"it; "
				"copy those first, or join them; nothing was changed",
				draft->path);
	lath_config_free(cfg);
	return same ? LATHCTL_OK : LATHCTL_FAILED;
}

int
lathctl_draft_write(struct lathctl *ctl, struct lathctl_draft *draft, const char *path,
		const char *from, const char *sha256)
{
	char *real = realpath(path, NULL); /* A link stays one: what it points to is replaced. */
	int rc;
	int fd;

	snprintf(draft->path, sizeof(draft->path), "%s", real == NULL ? path : real);
	free(real);
	/* No ".json" at the end: patterns of `include` must not see it. */
	snprintf(draft->draft, sizeof(draft->draft), "%s.XXXXXX", draft->path);
	fd = mkostemp(draft->draft, O_CLOEXEC);
	if (fd < 0) {
		rc = fail(ctl, draft->path, "no file can be made beside it");
		draft->draft[0] = '\0';
		return rc;
	}
	rc = fill(ctl, draft, from, fd);
	if (rc == 0)
		rc = verify(ctl, draft, sha256);
	if (rc != 0)
		lathctl_draft_drop(draft);
	return rc;
}

int
lathctl_draft_keep(struct lathctl *ctl, struct lathctl_draft *draft)
{
	char folder[sizeof(draft->path)];
	int fd;

	if (rename(draft->draft, draft->path) != 0) {
		lathctl_error(ctl, LATH_RPC_DENIED, NULL, "%s: %s; it runs, but it is not saved",
				draft->path, strerror(errno));
		lathctl_draft_drop(draft);
		return LATHCTL_FAILED;
	}
	memcpy(folder, draft->path, sizeof(folder));
	fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Some file systems cannot sync a folder (EINVAL); the rename itself has happened. */
	if (fd >= 0 && fsync(fd) != 0 && errno != EINVAL)
		fprintf(stderr, "lathctl: %s: saved, but not synced: %s\n", draft->path,
				strerror(errno));
	if (fd >= 0)
		close(fd);
	return LATHCTL_OK;
}

void
lathctl_draft_drop(struct lathctl_draft *draft)
{
	if (draft->draft[0] != '\0')
		unlink(draft->draft); /* What stays is harmless: nothing includes it. */
	draft->draft[0] = '\0';
}
