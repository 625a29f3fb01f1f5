/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * addresses.json in the state directory: which chosen address each service has, and which ones of
 * removed services are held. Written beside and renamed, so that a reader or a crash sees the old
 * file or the new one; the folder is synced too, or the rename could be lost with the power.
 *
 *   {"formatVersion": 1,
 *    "addresses": [{"serviceId": "svc-0123...", "address": "198.18.7.9"},
 *                  {"serviceId": "svc-4567...", "address": "198.18.0.4",
 *                   "releasedAt": 1767225600}]}
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "model_private.h"

#define LEDGER_NAME "addresses.json"
#define LEDGER_VERSION 1
#define LEDGER_PATH_MAX (LATH_CONFIG_PATH_MAX + sizeof("/" LEDGER_NAME ".new"))

int
lath_model_address_record_compare(const void *a, const void *b)
{
	const struct address_record *ra = a;
	const struct address_record *rb = b;
	int order = strcmp(ra->service, rb->service);

	if (order != 0)
		return order;
	return (int)ra->ip.family - (int)rb->ip.family;
}

/* ---- reading ----------------------------------------------------------------------------- */

static void
refuse_content(struct lath_error *err, const char *path, const char *what)
{
	lath_error_set(err, "",
			"%s is not what lathd wrote: %s. It says which address each service has. "
			"Put "
			"back a copy, or remove it: services then get the address that their id "
			"hashes to, and addresses held for removed services are forgotten.",
			path, what);
	if (err != NULL)
		snprintf(err->file, sizeof(err->file), "%.255s", path);
}

static bool
read_record(const json_t *object, struct address_record *record)
{
	const char *service = json_string_value(json_object_get(object, "serviceId"));
	const char *address = json_string_value(json_object_get(object, "address"));
	const json_t *released = json_object_get(object, "releasedAt");

	if (service == NULL || service[0] == '\0' || strlen(service) >= sizeof(record->service))
		return false;
	if (address == NULL || lath_ip_parse(address, &record->ip) < 0)
		return false;
	if (released != NULL && (!json_is_integer(released) || json_integer_value(released) < 0))
		return false;
	memcpy(record->service, service, strlen(service) + 1);
	record->released_s = released == NULL ? ADDRESS_IN_USE : json_integer_value(released);
	return true;
}

static int
read_records(const json_t *root, const char *path, struct address_record **records, uint32_t *count,
		struct lath_error *err)
{
	const json_t *list = json_object_get(root, "addresses");
	struct address_record *all;
	size_t i;
	json_t *object;

	if (json_integer_value(json_object_get(root, "formatVersion")) != LEDGER_VERSION ||
			!json_is_array(list)) {
		refuse_content(err, path,
				"it lacks \"formatVersion\": 1 or the list \"addresses\"");
		return lath_err(EINVAL);
	}
	all = calloc(json_array_size(list) + 1, sizeof(*all));
	if (all == NULL)
		return lath_err(ENOMEM);
	json_array_foreach(list, i, object) {
		char what[64];

		if (read_record(object, &all[i]))
			continue;
		snprintf(what, sizeof(what), "/addresses/%zu is no record", i);
		refuse_content(err, path, what);
		free(all);
		return lath_err(EINVAL);
	}
	*count = (uint32_t)json_array_size(list);
	qsort(all, *count, sizeof(*all), lath_model_address_record_compare);
	for (i = 1; i < *count; i++) {
		if (lath_model_address_record_compare(&all[i - 1], &all[i]) != 0)
			continue;
		refuse_content(err, path, "a service is in it twice");
		free(all);
		return lath_err(EINVAL);
	}
	*records = all;
	return 0;
}

static json_t *
load_json(const char *path, FILE *file, struct lath_error *err)
{
	json_error_t why;
	json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &why);
	char what[JSON_ERROR_TEXT_LENGTH + 32];

	if (root == NULL) {
		snprintf(what, sizeof(what), "line %d: %s", why.line, why.text);
		refuse_content(err, path, what);
		if (err != NULL && why.line > 0)
			err->line = (unsigned)why.line;
	}
	return root;
}

int
lath_model_ledger_read(const char *directory, struct address_record **records, uint32_t *count,
		struct lath_error *err)
{
	char path[LEDGER_PATH_MAX];
	json_t *root;
	FILE *file;
	int rc;

	*records = NULL;
	*count = 0;
	if (directory[0] == '\0')
		return 0;
	snprintf(path, sizeof(path), "%s/" LEDGER_NAME, directory);
	file = fopen(path, "re");
	if (file == NULL) {
		rc = errno;
		if (rc == ENOENT)
			return 0;
		lath_error_set(err, "", "%s cannot be read: %s.", path, strerror(rc));
		return lath_err(rc);
	}
	root = load_json(path, file, err);
	fclose(file);
	if (root == NULL)
		return lath_err(EINVAL);
	rc = read_records(root, path, records, count, err);
	json_decref(root);
	return rc;
}

/* ---- writing ----------------------------------------------------------------------------- */

static json_t *
to_json(const struct address_record *records, uint32_t count)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++) {
		char text[LATH_IP_TEXT_MAX];
		json_t *object = json_pack("{s:s, s:s}", "serviceId", records[i].service, "address",
				lath_ip_format(&records[i].ip, text));
		int rc = 0;

		if (records[i].released_s != ADDRESS_IN_USE)
			rc = json_object_set_new(object, "releasedAt",
					json_integer(records[i].released_s));
		if (json_array_append_new(list, object) < 0 || rc < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:i, s:o}", "formatVersion", LEDGER_VERSION, "addresses", list);
}

/* 0, or an errno. */
static int
write_synced(const char *path, const json_t *root)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int rc = 0;

	if (fd < 0)
		return errno;
	errno = 0;
	if (json_dumpfd(root, fd, JSON_INDENT(2)) < 0)
		rc = errno != 0 ? errno : EIO;
	if (rc == 0 && fsync(fd) < 0)
		rc = errno;
	if (close(fd) < 0 && rc == 0)
		rc = errno;
	return rc;
}

static int
sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return errno;
	if (fsync(fd) < 0 && errno != EINVAL) /* EINVAL: a file system that cannot */
		rc = errno;
	close(fd);
	return rc;
}

int
lath_model_ledger_write(const char *directory, const struct address_record *records, uint32_t count,
		struct lath_error *err)
{
	char path[LEDGER_PATH_MAX];
	char fresh[LEDGER_PATH_MAX];
	json_t *root;
	int rc;

	if (directory[0] == '\0')
		return 0;
	snprintf(path, sizeof(path), "%s/" LEDGER_NAME, directory);
	snprintf(fresh, sizeof(fresh), "%s/" LEDGER_NAME ".new", directory);
	root = to_json(records, count);
	if (root == NULL)
		return lath_err(ENOMEM);
	rc = write_synced(fresh, root);
	json_decref(root);
	if (rc == 0 && rename(fresh, path) < 0)
		rc = errno;
	if (rc != 0)
		unlink(fresh);
	if (rc == 0)
		rc = sync_directory(directory);
	if (rc == 0)
		return 0;
	lath_error_set(err, "/system/stateDirectory",
			"%s cannot be written: %s. Without it services would move to other "
			"addresses after a restart, so nothing was changed.",
			path, strerror(rc));
	return lath_err(rc);
}
