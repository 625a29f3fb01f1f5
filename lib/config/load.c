/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* A configuration is loaded in five steps, each in files of its own: the files are read and
 * parsed (here), their top levels joined (join.c), sections and lists read one by one into plain
 * structs (system.c ... service.c), everything checked against everything (check_*.c) and the
 * joined text written in canonical form and hashed (join.c). The first error ends it; nothing of
 * a half-read configuration leaves this library.
 */

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_private.h"

#define GLOBS_MAX 64u

/* A complaint about a file that could not become one of loader->files. */
static int
fail_file(struct lath_config_loader *loader, const struct lath_config_node *from, const char *path,
		const char *why)
{
	if (from != NULL)
		return lath_config_fail(from, "%s: %s", path, why);
	lath_error_set(&loader->err, "", "%s", why);
	snprintf(loader->err.file, sizeof(loader->err.file), "%s", path);
	return lath_err(EINVAL);
}

static int
parse_file(struct lath_config_loader *loader, struct lath_config_file *file)
{
	json_error_t error = {0};
	char text[sizeof(error.text)];

	file->root = json_loadb(file->text, file->len, JSON_REJECT_DUPLICATES, &error);
	if (file->root != NULL)
		return 0;
	memcpy(text, error.text, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	}
	lath_error_set(&loader->err, "", "not JSON: %s (column %d)", text, error.column);
	snprintf(loader->err.file, sizeof(loader->err.file), "%s", file->path);
	loader->err.line = error.line > 0 ? (unsigned)error.line : 1;
	return lath_err(EINVAL);
}

int
lath_config_file_add(struct lath_config_loader *loader, const char *path, char *text, size_t len)
{
	struct lath_config_file *files;
	struct lath_config_file *file;

	files = realloc(loader->files, (loader->file_count + 1) * sizeof(*files));
	if (files == NULL) {
		free(text);
		return lath_config_no_memory(loader);
	}
	loader->files = files;
	file = &files[loader->file_count++];
	*file = (struct lath_config_file){.path = strdup(path), .text = text, .len = len};
	if (file->path == NULL)
		return lath_config_no_memory(loader);
	return parse_file(loader, file);
}

/* Reads all of `fd` into new memory; NULL with errno on error. */
static char *
read_all(int fd, size_t size, size_t *len)
{
	char *text = malloc(size + 1);
	ssize_t n = 1;

	if (text == NULL)
		return lath_null(ENOMEM);
	for (*len = 0; n != 0 && *len < size; *len += (size_t)n) {
		n = read(fd, text + *len, size - *len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0) {
			free(text);
			return NULL;
		}
	}
	text[*len] = '\0';
	return text;
}

static bool
is_open(const struct lath_config_loader *loader, const struct stat *stat)
{
	for (uint32_t i = 0; i < loader->file_count; i++) {
		if (loader->files[i].device == stat->st_dev &&
				loader->files[i].inode == stat->st_ino)
			return true;
	}
	return false;
}

int
lath_config_file_open(struct lath_config_loader *loader, const char *path,
		const struct lath_config_node *from)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat stat = {0};
	char *text = NULL;
	size_t len = 0;
	int rc = 0;

	if (fd < 0)
		return fail_file(loader, from, path, strerror(errno));
	if (fstat(fd, &stat) != 0)
		rc = fail_file(loader, from, path, strerror(errno));
	else if (!S_ISREG(stat.st_mode))
		rc = fail_file(loader, from, path, "this is not a regular file");
	else if (stat.st_size > (off_t)LATH_CONFIG_FILE_BYTES_MAX)
		rc = fail_file(loader, from, path, "a file has at most 64 MiB");
	else if (!is_open(loader, &stat) &&
			(text = read_all(fd, (size_t)stat.st_size, &len)) == NULL)
		rc = fail_file(loader, from, path, strerror(errno));
	close(fd); /* Read only: nothing can be lost. */
	if (text == NULL)
		return rc;
	rc = lath_config_file_add(loader, path, text, len);
	if (rc == 0) {
		loader->files[loader->file_count - 1].device = stat.st_dev;
		loader->files[loader->file_count - 1].inode = stat.st_ino;
	}
	return rc;
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The pattern as glob() wants it: relative ones start at the first file's folder, whose own name
 * is no pattern.
 */
static int
absolute_pattern(const struct lath_config_node *node, char *out, size_t size)
{
	const char *pattern = json_string_value(node->json);
	const char *base = node->loader->files[0].path;
	const char *slash = pattern[0] == '/' ? NULL : strrchr(base, '/');
	size_t used = 0;

	for (const char *c = base; slash != NULL && c <= slash && used + 2 < size; c++) {
		if (strchr("*?[\\", *c) != NULL)
			out[used++] = '\\';
		out[used++] = *c;
	}
	if (used + strlen(pattern) + 1 > size)
		return lath_config_fail(node, "the path is longer than %zu characters", size - 1);
	memcpy(out + used, pattern, strlen(pattern) + 1);
	return 0;
}

/* A folder that is not there holds no files; one that cannot be read is an error. */
static int
folder_error(const char *path, int error)
{
	(void)path;
	return error != ENOENT;
}

static int
include_pattern(const struct lath_config_node *node)
{
	struct lath_config_loader *loader = node->loader;
	char pattern[4096];
	glob_t found = {0};
	char value[LATH_CONFIG_VALUE_MAX];
	int rc;

	if (!json_is_string(node->json) || json_string_length(node->json) == 0)
		return lath_config_fail(node,
				"%s is not a file name or pattern like \"conf.d/*.json\"",
				lath_config_value(node->json, value));
	rc = absolute_pattern(node, pattern, sizeof(pattern));
	if (rc != 0)
		return rc;
	rc = glob(pattern, GLOB_NOSORT, folder_error, &found);
	if (rc == GLOB_NOMATCH && strpbrk(json_string_value(node->json), "*?[") == NULL)
		rc = lath_config_fail(node, "there is no file \"%s\"",
				json_string_value(node->json));
	else if (rc == GLOB_NOMATCH)
		rc = 0;
	else if (rc != 0)
		rc = lath_config_fail(node, "\"%s\": %s", json_string_value(node->json),
				rc == GLOB_NOSPACE ? "out of memory" : "a folder cannot be read");
	/* By bytes, not by the caller's locale: every gateway reads in the same order. */
	if (found.gl_pathc > 1)
		qsort(found.gl_pathv, found.gl_pathc, sizeof(char *), compare_paths);
	for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++) {
		if (loader->file_count >= LATH_CONFIG_FILES_MAX)
			rc = lath_config_fail(node, "more than %u files are included",
					LATH_CONFIG_FILES_MAX);
		else
			rc = lath_config_file_open(loader, found.gl_pathv[i], node);
	}
	globfree(&found);
	return rc;
}

int
lath_config_include(struct lath_config_loader *loader)
{
	struct lath_config_node root = {loader, NULL, NULL, SIZE_MAX, 0, loader->files[0].root};
	struct lath_config_node list;
	int rc = lath_config_read_list(&root, "include", 0, GLOBS_MAX, &list);

	for (size_t i = 0; rc == 0 && i < json_array_size(list.json); i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		rc = include_pattern(&element);
	}
	return rc;
}

static int
build(struct lath_config_loader *loader)
{
	static int (*const steps[])(struct lath_config_loader *) = {
			lath_config_join,
			lath_config_read_system,
			lath_config_read_gateway,
			lath_config_read_underlays,
			lath_config_read_acls,
			lath_config_read_vpcs,
			lath_config_read_security_groups,
			lath_config_read_networks,
			lath_config_read_groups,
			lath_config_read_services,
			lath_config_read_associations,
			lath_config_check_tunnels,
			lath_config_check_vpcs,
			lath_config_check_targets,
			lath_config_check_visibility,
			lath_config_check_warnings,
			lath_config_canonical,
	};

	for (size_t i = 0; i < LATH_ARRAY_SIZE(steps); i++) {
		int rc = steps[i](loader);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
init(struct lath_config_loader *loader)
{
	loader->cfg = calloc(1, sizeof(*loader->cfg));
	for (int i = 0; i < LATH_CONFIG_KIND_COUNT; i++) {
		loader->ids[i] = json_object();
		loader->names[i] = json_object();
		loader->plain[i] = json_object();
		if (loader->ids[i] == NULL || loader->names[i] == NULL || loader->plain[i] == NULL)
			return lath_config_no_memory(loader);
	}
	return loader->cfg == NULL ? lath_config_no_memory(loader) : 0;
}

/* The configuration, or NULL with `err` filled; either way the loader holds nothing more. */
static struct lath_config *
finish(struct lath_config_loader *loader, int rc, struct lath_error *err)
{
	struct lath_config *cfg = loader->cfg;

	for (uint32_t i = 0; i < loader->file_count; i++) {
		json_decref(loader->files[i].root);
		free(loader->files[i].path);
		free(loader->files[i].text);
	}
	free(loader->files);
	for (int i = 0; i < LATH_CONFIG_LIST_COUNT; i++)
		free(loader->places[i]);
	for (int i = 0; i < LATH_CONFIG_KIND_COUNT; i++) {
		json_decref(loader->ids[i]);
		json_decref(loader->names[i]);
		json_decref(loader->plain[i]);
	}
	if (rc == 0)
		return cfg;
	if (err != NULL)
		*err = loader->err;
	lath_config_free(cfg);
	return lath_null(-rc);
}

struct lath_config *
lath_config_load(const char *path, struct lath_error *err)
{
	struct lath_config_loader loader = {0};
	int rc = init(&loader);

	if (rc == 0)
		rc = lath_config_file_open(&loader, path, NULL);
	if (rc == 0)
		rc = lath_config_include(&loader);
	if (rc == 0)
		rc = build(&loader);
	return finish(&loader, rc, err);
}

struct lath_config *
lath_config_parse(const char *text, size_t len, const char *name, struct lath_error *err)
{
	struct lath_config_loader loader = {0};
	int rc = init(&loader);
	char *copy;

	if (rc == 0 && len > LATH_CONFIG_FILE_BYTES_MAX)
		rc = fail_file(&loader, NULL, name, "a configuration has at most 64 MiB");
	copy = rc == 0 ? malloc(len + 1) : NULL;
	if (rc == 0 && copy == NULL)
		rc = lath_config_no_memory(&loader);
	if (rc == 0) {
		memcpy(copy, text, len);
		copy[len] = '\0';
		rc = lath_config_file_add(&loader, name, copy, len);
	}
	if (rc == 0 && json_object_get(loader.files[0].root, "include") != NULL) {
		struct lath_config_at at = {.file = 0, .pointer = "/include"};

		rc = lath_config_fail_at(&loader, &at,
				"files cannot be included here; send the joined configuration");
	}
	if (rc == 0)
		rc = build(&loader);
	return finish(&loader, rc, err);
}
