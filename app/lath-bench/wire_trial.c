/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A trial after RFC 2544, section 26.1: so many frames a second for so many seconds, then two
 * seconds for what is still under way, then both counts compared.
 *
 * The pace: at each turn of the loop so many frames are due as the trial's clock says, and at most
 * a burst of them is sent. When the generator itself was held up (another thread on its CPU), the
 * clock stands still meanwhile: sending what is overdue in a rush would be a rate that nobody asked
 * for. The time is told as `paused`. When a ring is full, frames become overdue; beyond BACKLOG they
 * are left out and counted as `refused`. A wire pushes nothing back, it loses: such a trial has not
 * passed.
 *
 * Counted as received is every IPv4 frame, so the gateway's own ARP is not.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ether.h>

#include "wire.h"

#define BURST 32u
#define BACKLOG 512u    /* frames: half of the smallest ring that is in use */
#define PAUSE_US 20u    /* a turn that takes longer was interrupted */
#define PAUSES_MAX 4u   /* a trial that takes so many times its length is given up */
#define REST_SECONDS 2u /* RFC 2544, section 23: "wait for two seconds" */
#define LEARN_MS 100u   /* section 23 again: routing and learning frames come first */

#define PCAP_MAGIC_US UINT32_C(0xa1b2c3d4)
#define PCAP_MAGIC_NS UINT32_C(0xa1b23c4d)
#define PCAP_FILE_HEADER 24u
#define PCAP_FRAME_HEADER 16u

/* ---- frames of a file ----------------------------------------------------------------------- */

static uint8_t *
read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re");
	uint8_t *bytes;
	long end;

	if (file == NULL)
		rig_die("%s: %s", path, strerror(errno));
	if (fseek(file, 0, SEEK_END) != 0)
		rig_die("%s: not a file", path);
	end = ftell(file);
	bytes = end <= 0 ? NULL : malloc((size_t)end);
	rewind(file);
	if (bytes == NULL || fread(bytes, 1, (size_t)end, file) != (size_t)end)
		rig_die("%s: cannot be read", path);
	fclose(file);
	*size = (size_t)end;
	return bytes;
}

static uint32_t
word_at(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

void
wire_frames_read(struct wire_frames *frames, const char *path)
{
	size_t size;
	size_t at = PCAP_FILE_HEADER;
	uint32_t used = 0;
	uint8_t *bytes = read_file(path, &size);
	uint32_t magic = size < PCAP_FILE_HEADER ? 0 : word_at(bytes);

	if (magic != PCAP_MAGIC_US && magic != PCAP_MAGIC_NS)
		rig_die("%s: not a capture of the classic format, little endian", path);
	frames->offsets = malloc((size / PCAP_FRAME_HEADER + 2) * sizeof(frames->offsets[0]));
	if (frames->offsets == NULL)
		rig_die("no memory");
	for (frames->count = 0; at + PCAP_FRAME_HEADER <= size; frames->count++) {
		uint32_t len = word_at(bytes + at + 8);

		at += PCAP_FRAME_HEADER;
		if (len < RTE_ETHER_HDR_LEN || len > WIRE_FRAME_MAX || len > size - at)
			rig_die("%s: frame %u has %u bytes", path, frames->count + 1, len);
		/* Packed in place: a frame never moves back beyond its own header. */
		memmove(bytes + used, bytes + at, len);
		frames->offsets[frames->count] = used;
		used += len;
		at += len;
	}
	if (frames->count == 0)
		rig_die("%s: holds no frame", path);
	frames->offsets[frames->count] = used;
	frames->bytes = bytes;
}

void
wire_frames_free(struct wire_frames *frames)
{
	free(frames->bytes);
	free(frames->offsets);
}

static void
copy_frame(struct rte_mbuf *m, const struct wire_frames *frames, uint32_t i)
{
	uint32_t len = frames->offsets[i + 1] - frames->offsets[i];

	memcpy(rte_pktmbuf_mtod(m, void *), frames->bytes + frames->offsets[i], len);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
}

/* ---- one trial ------------------------------------------------------------------------------ */

struct sender {
	struct rte_mbuf *burst[BURST];
	unsigned first; /* burst[first..count) are still to be sent */
	unsigned count;
	uint64_t handled; /* frames of the schedule that were sent or left out */
};

static bool
is_ipv4(const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	rte_be16_t type = eth->ether_type;

	if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN))
		type = ((const struct rte_vlan_hdr *)(eth + 1))->eth_proto;
	return type == RTE_BE16(RTE_ETHER_TYPE_IPV4);
}

/* Takes in a burst of both ports; returns how many frames of the trial came to `rx`. */
static unsigned
take_in(struct wire *wire)
{
	struct rte_mbuf *burst[BURST];
	unsigned n = rte_eth_rx_burst(wire->rx.port_id, 0, burst, BURST);
	unsigned frames = 0;

	for (unsigned i = 0; i < n; i++)
		frames += is_ipv4(burst[i]);
	rte_pktmbuf_free_bulk(burst, n);
	n = rte_eth_rx_burst(wire->tx.port_id, 0, burst, BURST);
	rte_pktmbuf_free_bulk(burst, n);
	return frames;
}

/* Sends at most a burst; returns how many went out. */
static unsigned
send_due(struct wire *wire, struct sender *sender, uint64_t due)
{
	unsigned n;

	if (sender->first == sender->count) {
		n = (unsigned)(due < BURST ? due : BURST);
		if (n == 0 || rte_pktmbuf_alloc_bulk(wire->pool, sender->burst, n) != 0)
			return 0;
		for (unsigned i = 0; i < n; i++) {
			copy_frame(sender->burst[i], &wire->frames, wire->next);
			wire->next = wire->next + 1 == wire->frames.count ? 0 : wire->next + 1;
		}
		sender->first = 0;
		sender->count = n;
	}
	n = rte_eth_tx_burst(wire->tx.port_id, 0, &sender->burst[sender->first],
			(uint16_t)(sender->count - sender->first));
	sender->first += n;
	sender->handled += n;
	return n;
}

/* How many frames should be out by now; at most BACKLOG of them are sent later than that. */
static uint64_t
due_frames(struct sender *sender, struct wire_trial *trial, double seconds)
{
	uint64_t due;

	if (trial->rate_pps <= 0.0)
		return sender->handled + BURST;
	due = (uint64_t)(seconds * trial->rate_pps);
	if (due > sender->handled + BACKLOG) {
		trial->refused += due - sender->handled - BACKLOG;
		sender->handled = due - BACKLOG;
	}
	return due;
}

static void
send_and_count(struct wire *wire, struct wire_trial *trial)
{
	double hz = (double)rte_get_tsc_hz();
	uint64_t pause = rte_get_tsc_hz() / 1000000 * PAUSE_US;
	uint64_t length = (uint64_t)(trial->seconds * hz);
	uint64_t end = rte_rdtsc() + PAUSES_MAX * length;
	struct sender sender = {.first = 0};
	uint64_t now = rte_rdtsc();
	uint64_t passed = 0; /* by the trial's clock */
	uint64_t paused = 0;

	while (passed < length && now < end) {
		uint64_t due = due_frames(&sender, trial, (double)passed / hz);
		uint64_t last = now;

		trial->sent += send_due(wire, &sender, due - RTE_MIN(due, sender.handled));
		trial->received += take_in(wire);
		now = rte_rdtsc();
		if (now - last > pause)
			paused += now - last;
		else
			passed += now - last;
	}
	trial->completed = passed >= length;
	trial->paused_s = (double)paused / hz;
	trial->attained_pps = (double)trial->sent * hz / (double)RTE_MAX(passed, 1u);
	rte_pktmbuf_free_bulk(&sender.burst[sender.first], sender.count - sender.first);
}

/* Until REST_SECONDS have passed, or every frame that was sent is there. */
static void
wait_for_rest(struct wire *wire, struct wire_trial *trial)
{
	uint64_t end = rte_rdtsc() + REST_SECONDS * rte_get_tsc_hz();

	while (rte_rdtsc() < end && trial->received < trial->sent)
		trial->received += take_in(wire);
}

static void
announce(struct wire *wire)
{
	uint64_t end = rte_rdtsc() + LEARN_MS * rte_get_tsc_hz() / 1000;

	for (uint32_t i = 0; i < wire->announce.count; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(wire->pool);

		if (m == NULL)
			rig_die("no packet buffer");
		copy_frame(m, &wire->announce, i);
		if (rte_eth_tx_burst(wire->rx.port_id, 0, &m, 1) == 0)
			rte_pktmbuf_free(m);
	}
	while (rte_rdtsc() < end)
		(void)take_in(wire);
}

void
wire_run(struct wire *wire, struct wire_trial *trial)
{
	announce(wire);
	trial->sent = trial->received = trial->refused = 0;
	send_and_count(wire, trial);
	wait_for_rest(wire, trial);
}

bool
wire_passed(const struct wire_trial *trial)
{
	return trial->completed && trial->sent > 0 && trial->received == trial->sent &&
			trial->refused == 0;
}
