/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * HTTP and HTTPS checks by libcurl's multi interface on our event loop: libcurl says which sockets
 * and which timeout it waits for, libevent tells it when they are there, and what has ended is
 * read off afterwards (curl.se/libcurl/c/libcurl-multi.html, "multi_socket"). One easy handle a
 * check, thrown away with its connection: a check that reuses a connection proves nothing about
 * new ones.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "health_private.h"

/* ---- one check --------------------------------------------------------------------------- */

/* Headers and body alike: counted, and cut when there is more than a status needs. */
static size_t
count_bytes(char *data, size_t size, size_t count, void *ctx)
{
	struct probe *probe = ctx;

	(void)data;
	probe->received += size * count;
	return probe->received > LATH_HEALTH_BODY_MAX ? 0 : size * count;
}

/* CURLOPT_* that say where to and what; false when curl has no memory for them. */
static bool
set_request(struct probe *probe)
{
	CURL *easy = probe->easy;
	char address[LATH_IP_TEXT_MAX];
	char text[LATH_IP_TEXT_MAX + 32];
	bool is_tls = probe->key.protocol == LATH_CONFIG_CHECK_HTTPS;
	bool bad = false;

	/* The Host header names the target as its owner knows it, not the host port's address. */
	lath_ip_format(&probe->key.ip, address);
	snprintf(text, sizeof(text),
			lath_ip_is_v4(&probe->key.ip) ? "Host: %s:%u" : "Host: [%s]:%u", address,
			probe->key.port);
	probe->headers = curl_slist_append(NULL, text);
	if (probe->headers == NULL ||
			curl_slist_append(probe->headers, "Connection: close") == NULL)
		return false;
	lath_ip_format(&probe->connect_ip, address);
	snprintf(text, sizeof(text),
			lath_ip_is_v4(&probe->connect_ip) ? "%s://%s:%u/" : "%s://[%s]:%u/",
			is_tls ? "https" : "http", address, probe->key.port);
	bad |= curl_easy_setopt(easy, CURLOPT_URL, text) != CURLE_OK;
	/* The path letter by letter, neither normalised nor cut at a '#'. */
	bad |= curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, probe->key.path) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, probe->headers) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "Lath-HealthChecker/" LATH_VERSION) !=
			CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_tls ? "https" : "http") != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) !=
			CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK;
	return !bad;
}

/* CURLOPT_* that keep curl to one connection of ours, in time, without signals. */
static bool
set_behaviour(struct probe *probe)
{
	CURL *easy = probe->easy;
	long timeout_ms = (long)probe->key.timeout_s * 1000;
	bool bad = false;

	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 4096L) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_bytes) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, probe) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, count_bytes) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, probe) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, probe->curl_error) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, probe) != CURLE_OK;
	if (probe->key.protocol != LATH_CONFIG_CHECK_HTTPS)
		return !bad;
	/* Certificates are not validated, so neither is the strength of their keys, and no bundle of
	 * authorities is read (10 ms a check).
	 */
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0") != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) != CURLE_OK;
	bad |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) != CURLE_OK;
	return !bad;
}

static int
http_start(struct probe *probe)
{
	probe->received = 0;
	probe->curl_error[0] = '\0';
	probe->easy = curl_easy_init();
	if (probe->easy == NULL || !set_request(probe) || !set_behaviour(probe))
		return lath_err(ENOMEM);
	if (curl_multi_add_handle(probe->health->multi, probe->easy) != CURLM_OK)
		return lath_err(ENOMEM);
	return 0;
}

static void
http_cancel(struct probe *probe)
{
	if (probe->easy != NULL) {
		/* A handle that was never added is no error. */
		curl_multi_remove_handle(probe->health->multi, probe->easy);
		curl_easy_cleanup(probe->easy);
	}
	curl_slist_free_all(probe->headers);
	probe->easy = NULL;
	probe->headers = NULL;
}

const struct probe_kind lath_health_probe_kind_http = {.start = http_start, .cancel = http_cancel};

/* ---- verdicts ---------------------------------------------------------------------------- */

static void
judge_answer(struct probe *probe, long status)
{
	char text[LATH_HEALTH_TEXT_MAX];

	if (lath_health_matcher_accepts(&probe->matcher, status)) {
		snprintf(text, sizeof(text), "HTTP %ld", status);
		lath_health_probe_finish(probe, PROBE_SUCCESS, text);
		return;
	}
	/* Status 0: even the first line was longer than all that we read. */
	snprintf(text, sizeof(text), "HTTP %ld, expected %.96s", status, probe->key.matcher);
	lath_health_probe_finish(probe, PROBE_FAILURE, text);
}

/* The system's reason where the connection broke, curl's own words for the rest; what it says of
 * TLS names the cause, its other texts the host port's address, which means nothing to a reader.
 */
static void
judge_error(struct probe *probe, CURLcode code, int os_error)
{
	char text[LATH_HEALTH_TEXT_MAX];

	if (code == CURLE_OUT_OF_MEMORY)
		os_error = ENOMEM;
	else if (code == CURLE_OPERATION_TIMEDOUT)
		os_error = ETIMEDOUT;
	else if (code != CURLE_COULDNT_CONNECT && code != CURLE_RECV_ERROR &&
			code != CURLE_SEND_ERROR)
		os_error = 0;
	if (os_error != 0)
		lath_health_probe_finish(probe, lath_health_probe_outcome_of(os_error),
				lath_health_probe_error_text(os_error, text, sizeof(text)));
	else if (code == CURLE_SSL_CONNECT_ERROR && probe->curl_error[0] != '\0')
		lath_health_probe_finish(probe, PROBE_FAILURE, probe->curl_error);
	else
		lath_health_probe_finish(probe, PROBE_FAILURE, curl_easy_strerror(code));
}

static void
read_ended(struct lath_health *health)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(health->multi, &left)) != NULL) {
		struct probe *probe = NULL;
		CURLcode code = message->data.result;
		long status = 0;
		long os_error = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		/* Reading what curl itself keeps cannot fail. */
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &probe);
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(message->easy_handle, CURLINFO_OS_ERRNO, &os_error);
		/* Our own cut of a long answer shows as a write error. */
		if (code == CURLE_WRITE_ERROR && probe->received > LATH_HEALTH_BODY_MAX)
			code = CURLE_OK;
		if (code == CURLE_OK)
			judge_answer(probe, status);
		else
			judge_error(probe, code, (int)os_error);
	}
}

/* ---- the multi handle on the event loop --------------------------------------------------- */

/* What libevent watches of one of curl's sockets. */
struct watch {
	struct event event;
	struct lath_health *health;
};

static void
act(struct lath_health *health, curl_socket_t fd, int mask)
{
	int running;

	/* Errors of a transfer come as messages; those of the multi handle are programming errors. */
	curl_multi_socket_action(health->multi, fd, mask, &running);
	read_ended(health);
}

static void
on_socket(evutil_socket_t fd, short what, void *ctx)
{
	struct watch *watch = ctx;
	int mask = 0;

	if ((what & EV_READ) != 0)
		mask |= CURL_CSELECT_IN;
	if ((what & EV_WRITE) != 0)
		mask |= CURL_CSELECT_OUT;
	act(watch->health, fd, mask);
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct lath_health *health = ctx;
	struct watch *watch = socket_ctx;
	short events = EV_PERSIST;

	(void)easy;
	if (watch != NULL)
		event_del(&watch->event); /* to be added anew with other events, or not at all */
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(health->multi, fd, NULL);
		free(watch);
		return 0;
	}
	if (watch == NULL) {
		watch = calloc(1, sizeof(*watch));
		if (watch == NULL)
			return -1; /* curl fails the transfer */
		watch->health = health;
		curl_multi_assign(health->multi, fd, watch);
	}
	if ((what & CURL_POLL_IN) != 0)
		events |= EV_READ;
	if ((what & CURL_POLL_OUT) != 0)
		events |= EV_WRITE;
	event_assign(&watch->event, health->base, fd, events, on_socket, watch);
	return event_add(&watch->event, NULL) != 0 ? -1 : 0;
}

static int
want_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct lath_health *health = ctx;
	struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

	(void)multi;
	if (timeout_ms < 0)
		return event_del(&health->multi_timer);
	return event_add(&health->multi_timer, &timeout);
}

int
lath_health_http_init(struct lath_health *health)
{
	CURLM *multi = curl_multi_init();
	bool bad = false;

	if (multi == NULL)
		return lath_err(ENOMEM);
	health->multi = multi;
	evtimer_assign(&health->multi_timer, health->base, on_timer, health);
	bad |= curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want_socket) != CURLM_OK;
	bad |= curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, health) != CURLM_OK;
	bad |= curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, want_timer) != CURLM_OK;
	bad |= curl_multi_setopt(multi, CURLMOPT_TIMERDATA, health) != CURLM_OK;
	return bad ? lath_err(ENOMEM) : 0;
}

void
lath_health_http_fini(struct lath_health *health)
{
	if (health->multi == NULL)
		return;
	curl_multi_cleanup(health->multi);
	event_del(&health->multi_timer);
	health->multi = NULL;
}
