/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Underlays, and attachments that no port and VLAN tells. */

#include "test_model_world.h"

#define BLUE 0
#define RED 1

static const char underlays
		[] = "[{'name': 'fabric', 'port': 'p0', 'vlan': 900,"
		     " 'addresses': ['192.0.2.1/24'], 'mtu': 9000,"
		     " 'routes': [{'prefix': '203.0.113.0/24', 'nextHop': '192.0.2.254'}]},"
		     "{'name': 'other', 'port': 'p0', 'vlan': 901,"
		     " 'addresses': ['192.0.2.1/24'], 'mtu': 9000}]";

static const char *
port_name(struct world *world)
{
	return world->cfg->system.ports[0].name;
}

/* `text` with p0 made the first port's name. */
static void
set(struct world *world, const char *pointer, const char *text)
{
	char *copy = calloc(1, strlen(text) * 2 + 64);
	char *out = copy;

	for (const char *at = text; *at != '\0';) {
		if (strncmp(at, "'p0'", 4) == 0) {
			out += sprintf(out, "'%s'", port_name(world));
			at += 4;
		} else {
			*out++ = *at++;
		}
	}
	world_set(world, pointer, copy);
	free(copy);
}

static const struct lath_model_attachment *
attachment_named(const struct lath_model *model, const char *name)
{
	for (uint32_t i = 0; i < model->attachment_count; i++) {
		if (model->attachments[i] != NULL && strcmp(model->attachments[i]->name, name) == 0)
			return model->attachments[i];
	}
	return NULL;
}

static void
underlay_is_a_wire_that_nobody_is_from(void **state)
{
	struct world *world = world_base();
	struct lath_ip far = world_ip("203.0.113.5");
	const struct lath_model_attachment *fabric;
	const struct lath_model_vpc *vpc;

	(void)state;
	set(world, "/underlays", underlays);
	world_apply(world);
	fabric = attachment_named(world->model, "fabric");
	assert_non_null(fabric);
	assert_true(fabric->is_underlay && fabric->whole_way && !fabric->is_host);
	assert_ptr_equal(lath_model_attachment_at(world->model, fabric->port, 900), fabric);
	vpc = world->model->vpcs[fabric->vpc];
	assert_int_equal(vpc->prefix_count, 0);
	assert_false(lath_model_vpc_holds(vpc, &far));
	assert_int_equal(lath_model_route(vpc, &far)->attachment, fabric->index);
	for (uint32_t i = 0; i < world->model->service_count; i++)
		if (world->model->services[i] != NULL)
			assert_false(lath_model_service_visible(world->model->services[i],
					fabric->vpc));
	world_set(world, "/underlays", "[]");
	world_apply(world);
	assert_null(attachment_named(world->model, "fabric"));
	world_free(world);
}

static void
tunnel_has_what_its_underlay_leaves(void **state)
{
	struct world *world = world_base();
	const struct lath_model_attachment *fabric;
	const struct lath_model_attachment *one;
	struct lath_ip far = world_ip("203.0.113.5");
	struct lath_ip stranger = world_ip("203.0.113.6");

	(void)state;
	set(world, "/underlays", underlays);
	set(world, "/vpcs/1/attachments/0",
			"{'name': 'one', 'geneve': {'underlay': 'fabric', 'vni': 7, 'inner': 'ip',"
			" 'remotes': [{'address': '203.0.113.5'}]}, 'addresses': ['10.0.0.1/24']}");
	world_apply(world);
	fabric = attachment_named(world->model, "fabric");
	one = attachment_named(world->model, "one");
	assert_int_equal(one->tunnel, LATH_CONFIG_TUNNEL_GENEVE);
	assert_int_equal(one->underlay, fabric->index);
	assert_int_equal(one->overhead, 36);
	assert_int_equal(one->mtu, 9000 - 36);
	assert_int_equal(one->port, fabric->port);
	assert_false(lath_model_has_neighbors(one));
	assert_true(lath_model_has_neighbors(fabric));
	assert_non_null(lath_model_remote(one, &far));
	assert_null(lath_model_remote(one, &stranger));
	assert_ptr_equal(lath_model_enter(world->model, LATH_MODEL_ENTRANCE_GENEVE, fabric->index,
					 7),
			one);
	assert_null(lath_model_enter(world->model, LATH_MODEL_ENTRANCE_VXLAN, fabric->index, 7));
	assert_null(lath_model_enter(world->model, LATH_MODEL_ENTRANCE_GENEVE,
			attachment_named(world->model, "other")->index, 7));
	world_free(world);
}

/* ---- against a naive search -------------------------------------------------------------- */

#define TUNNELS 60u
#define REMOTES 12u

static void
write_tunnels(char *text, uint64_t *random, uint32_t *vnis)
{
	text += sprintf(text, "[");
	for (uint32_t i = 0; i < TUNNELS; i++) {
		vnis[i] = (uint32_t)lath_random_next(random) % 90 * TUNNELS + i;
		text += sprintf(text,
				"%s{'name': 't%u', 'vxlan': {'underlay': '%s', 'vni': %u, "
				"'remotes': [",
				i == 0 ? "" : ", ", i, i % 2 == 0 ? "fabric" : "other", vnis[i]);
		for (uint32_t r = 0; r < REMOTES; r++)
			text += sprintf(text,
					"%s{'address': '192.0.2.%u', 'prefixes': ['10.%u.0.0/%u', "
					"'172.16.%u.%u/32']}",
					r == 0 ? "" : ", ", 10 + (r * 7 + i) % 200, r * 16,
					12 + (unsigned)(lath_random_next(random) % 4), i, r);
		text += sprintf(text, "]}, 'addresses': ['192.168.%u.1/24']}", i);
	}
	sprintf(text, "]");
}

static const struct lath_model_remote *
naive_remote_of(const struct lath_config_tunnel *tunnel,
		const struct lath_model_attachment *attachment, const struct lath_ip *ip)
{
	const struct lath_config_remote *best = NULL;
	int bits = -1;

	for (uint32_t r = 0; r < tunnel->remote_count; r++) {
		for (uint32_t p = 0; p < tunnel->remotes[r].prefix_count; p++) {
			const struct lath_prefix *prefix = &tunnel->remotes[r].prefixes[p];

			if (prefix->bits > bits && lath_prefix_contains(prefix, ip)) {
				bits = prefix->bits;
				best = &tunnel->remotes[r];
			}
		}
	}
	for (uint32_t i = 0; best != NULL && i < attachment->remote_count; i++) {
		if (lath_ip_equal(&attachment->remotes[i].ip, &best->ip))
			return &attachment->remotes[i];
	}
	return NULL;
}

static void
check_tunnel(const struct world *world, uint32_t i, uint64_t *random)
{
	const struct lath_config_tunnel *tunnel = &world->cfg->vpcs[RED].attachments[i].tunnel;
	const struct lath_model_attachment
			*attachment = world->model->attachments[lath_registry_index(world->registry,
					LATH_OBJECT_ATTACHMENT, RED, i)];

	for (uint32_t r = 0; r < tunnel->remote_count; r++) {
		const struct lath_model_remote *found = lath_model_remote(attachment,
				&tunnel->remotes[r].ip);

		assert_non_null(found);
		assert_true(lath_ip_equal(&found->ip, &tunnel->remotes[r].ip));
	}
	for (unsigned n = 0; n < 50; n++) {
		uint32_t v4 = (10u << 24) | ((uint32_t)lath_random_next(random) & 0xffffff);
		struct lath_ip ip = lath_ip_from_v4_be(lath_to_be32(v4));

		assert_ptr_equal(lath_model_remote_of(attachment, &ip),
				naive_remote_of(tunnel, attachment, &ip));
	}
}

static void
entrances_and_remotes_are_those_of_a_naive_search(void **state)
{
	uint64_t random = lath_test_random("entrances");
	char *text = calloc(1, TUNNELS * (REMOTES * 120 + 200));
	struct world *world = world_base();
	uint32_t vnis[TUNNELS];

	(void)state;
	assert_non_null(text);
	write_tunnels(text, &random, vnis);
	set(world, "/underlays", underlays);
	set(world, "/vpcs/1/attachments", text);
	world_set(world, "/vpcs/1/routes", "[]");
	world_apply(world);
	for (uint32_t vni = 0; vni < 90 * TUNNELS; vni++) {
		for (unsigned u = 0; u < 2; u++) {
			const char *name = u == 0 ? "fabric" : "other";
			const struct lath_model_attachment *found = lath_model_enter(world->model,
					LATH_MODEL_ENTRANCE_VXLAN,
					attachment_named(world->model, name)->index, vni);
			uint32_t i = 0;

			while (i < TUNNELS && (vnis[i] != vni || i % 2 != u))
				i++;
			assert_int_equal(found != NULL, i < TUNNELS);
			if (found != NULL)
				assert_int_equal(found->vni, vni);
		}
	}
	for (uint32_t i = 0; i < TUNNELS; i++)
		check_tunnel(world, i, &random);
	free(text);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(underlay_is_a_wire_that_nobody_is_from),
			cmocka_unit_test(tunnel_has_what_its_underlay_leaves),
			cmocka_unit_test(entrances_and_remotes_are_those_of_a_naive_search),
	};

	return cmocka_run_group_tests_name("model_tunnel", tests, NULL, NULL);
}
