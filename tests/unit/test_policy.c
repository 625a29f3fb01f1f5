/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Auth policies: what each part of the language means, and that nothing else is taken. The random
 * comparison with an evaluator of its own is tests/policy.
 */

#include <lath_policy.h>

#include "lath_test.h"

#define ARN "arn:aws:vpc-lattice:local-1:111122223333:service/svc-1"
#define NETWORK "arn:aws:vpc-lattice:local-1:111122223333:servicenetwork/sn-1"

static struct lath_policy_text
text_of(const char *text)
{
	return (struct lath_policy_text){text, text == NULL ? 0 : strlen(text)};
}

/* The caller of every row: VPC vpc-1 of account 222233334444 at 10.0.0.5 calls port 443. */
static struct lath_policy_request
caller(void)
{
	struct lath_policy_request request = {
			.source_vpc = text_of("vpc-1"),
			.source_account = text_of("222233334444"),
			.service_arn = text_of(ARN),
			.network_arn = text_of(NETWORK),
			.port = 443,
	};

	assert_int_equal(lath_ip_parse("10.0.0.5", &request.source_ip), 0);
	return request;
}

/* Single quotes stand for double ones. */
static struct lath_policy *
compile(const char *text, struct lath_policy_complaint *why)
{
	char *copy = strdup(text);
	struct lath_policy *policy;
	json_t *json;

	for (char *c = copy; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	json = json_loads(copy, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	assert_non_null(json);
	*why = (struct lath_policy_complaint){.text = ""};
	policy = lath_policy_compile(json, why);
	json_decref(json);
	free(copy);
	return policy;
}

#define HEAD "{'Effect':'Allow','Principal':'*','Action':'*','Resource':'*','Condition':"

static const struct {
	const char *name;
	const char *statement;
	bool holds;
} statement_rows[] = {
		{"everybody", "{'Effect':'Allow','Principal':'*','Action':'*','Resource':'*'}",
				true},
		{"AWS everybody",
				"{'Effect':'Allow','Principal':{'AWS':'*'},'Action':'*','Resource':"
				"'*'}",
				true},
		{"account of the VPC",
				"{'Effect':'Allow','Principal':{'AWS':'222233334444'},'Action':'*',"
				"'Resource':'*'}",
				true},
		{"its root",
				"{'Effect':'Allow','Principal':{'AWS':['1' ,"
				"'arn:aws:iam::222233334444:root']},'Action':'*','Resource':'*'}",
				false},
		{"root in a list",
				"{'Effect':'Allow','Principal':{'AWS':['111122223333',"
				"'arn:aws:iam::222233334444:root']},'Action':'*','Resource':'*'}",
				true},
		{"another account",
				"{'Effect':'Allow','Principal':{'AWS':'111122223333'},'Action':'*',"
				"'Resource':'*'}",
				false},
		{"not another account",
				"{'Effect':'Allow','NotPrincipal':{'AWS':'111122223333'},'Action':'"
				"*',"
				"'Resource':'*'}",
				true},
		{"not this account",
				"{'Effect':'Allow','NotPrincipal':{'AWS':'222233334444'},'Action':'"
				"*',"
				"'Resource':'*'}",
				false},
		{"action in any case",
				"{'Effect':'Allow','Principal':'*','Action':'VPC-lattice-svcs:conn*"
				"',"
				"'Resource':'*'}",
				true},
		{"all but Invoke",
				"{'Effect':'Allow','Principal':'*','NotAction':"
				"'vpc-lattice-svcs:Invoke','Resource':'*'}",
				true},
		{"all but Connect",
				"{'Effect':'Allow','Principal':'*','NotAction':"
				"'vpc-lattice-svcs:Connect','Resource':'*'}",
				false},
		{"this service",
				"{'Effect':'Allow','Principal':'*','Action':'*','Resource':'" ARN
				"'}",
				true},
		{"a service like it",
				"{'Effect':'Allow','Principal':'*','Action':'*','Resource':"
				"'arn:aws:vpc-lattice:*:service/svc-?'}",
				true},
		{"its paths",
				"{'Effect':'Allow','Principal':'*','Action':'*','Resource':'" ARN
				"/*'}",
				false},
		{"not this service",
				"{'Effect':'Allow','Principal':'*','Action':'*','NotResource':'" ARN
				"'}",
				false},
};

static void
statements_mean_what_iam_says(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(statement_rows); i++) {
		struct lath_policy_request request = caller();
		struct lath_policy_complaint why;
		uint32_t statement = 7;
		char text[1024];
		struct lath_policy *policy;
		bool refused = strstr(statement_rows[i].statement, "['1' ,") != NULL;

		snprintf(text, sizeof(text), "{'Statement':[%s]}", statement_rows[i].statement);
		policy = compile(text, &why);
		if ((policy == NULL) != refused)
			print_error("row \"%s\": %s\n", statement_rows[i].name, why.text);
		assert_true((policy == NULL) == refused);
		if (refused)
			continue;
		if ((lath_policy_evaluate(policy, &request, &statement) == LATH_POLICY_ALLOW) !=
				statement_rows[i].holds)
			fail_msg("row \"%s\"", statement_rows[i].name);
		assert_int_equal(statement, statement_rows[i].holds ? 0 : LATH_POLICY_NONE);
		free(policy);
	}
}

static const struct {
	const char *name;
	const char *condition;
	bool holds;
} condition_rows[] = {
		{"source VPC", "{'StringEquals':{'vpc-lattice-svcs:SourceVpc':'vpc-1'}}", true},
		{"one of two", "{'StringEquals':{'vpc-lattice-svcs:SourceVpc':['a','vpc-1']}}",
				true},
		{"none of two", "{'StringNotEquals':{'vpc-lattice-svcs:SourceVpc':['a','vpc-1']}}",
				false},
		{"case counts", "{'StringEquals':{'vpc-lattice-svcs:SourceVpc':'VPC-1'}}", false},
		{"case does not",
				"{'StringEqualsIgnoreCase':{'vpc-lattice-svcs:SourceVpc':'VPC-1'}}",
				true},
		{"not, without case",
				"{'StringNotEqualsIgnoreCase':{'vpc-lattice-svcs:SourceVpc':'VPC-1'"
				"}}",
				false},
		{"like", "{'StringLike':{'vpc-lattice-svcs:SourceVpc':'vpc-*'}}", true},
		{"a star is no pattern there",
				"{'StringEquals':{'vpc-lattice-svcs:SourceVpc':'vpc-*'}}", false},
		{"not like", "{'StringNotLike':{'vpc-lattice-svcs:SourceVpc':'vpc-*'}}", false},
		{"owner",
				"{'StringEquals':{'vpc-lattice-svcs:SourceVpcOwnerAccount':'"
				"222233334444'}}",
				true},
		{"port", "{'NumericEquals':{'vpc-lattice-svcs:Port':'443'}}", true},
		{"port as a number", "{'NumericEquals':{'vpc-lattice-svcs:Port':443}}", true},
		{"other port", "{'NumericNotEquals':{'vpc-lattice-svcs:Port':[80,443]}}", false},
		{"below", "{'NumericLessThan':{'vpc-lattice-svcs:Port':443}}", false},
		{"up to", "{'NumericLessThanEquals':{'vpc-lattice-svcs:Port':443}}", true},
		{"above", "{'NumericGreaterThan':{'vpc-lattice-svcs:Port':443}}", false},
		{"from", "{'NumericGreaterThanEquals':{'vpc-lattice-svcs:Port':443}}", true},
		{"address", "{'IpAddress':{'aws:SourceIp':['192.0.2.0/24','10.0.0.0/8']}}", true},
		{"one address", "{'IpAddress':{'aws:SourceIp':'10.0.0.6'}}", false},
		{"not the address", "{'NotIpAddress':{'aws:SourceIp':'10.0.0.0/24'}}", false},
		{"other family", "{'IpAddress':{'aws:SourceIp':'::/0'}}", false},
		{"ARN part by part",
				"{'ArnLike':{'vpc-lattice-svcs:ServiceArn':'arn:*:vpc-lattice:*:*:"
				"service/svc-*'}}",
				true},
		{"a star stays in its part",
				"{'ArnEquals':{'vpc-lattice-svcs:ServiceArn':'arn:*:*:service/"
				"svc-1:::'}}",
				false},
		{"ARN as text", "{'StringLike':{'vpc-lattice-svcs:ServiceArn':'arn:*/svc-1'}}",
				true},
		{"network",
				"{'ArnNotEquals':{'vpc-lattice-svcs:ServiceNetworkArn':'arn:aws:"
				"vpc-lattice:local-1:111122223333:servicenetwork/sn-1'}}",
				false},
		{"anonymous", "{'StringEquals':{'aws:PrincipalType':'Anonymous'}}", true},
		{"no service of AWS", "{'Bool':{'aws:PrincipalIsAWSService':'false'}}", true},
		{"a service of AWS", "{'Bool':{'aws:PrincipalIsAWSService':true}}", false},
		{"is there", "{'Null':{'vpc-lattice-svcs:Port':'false'}}", true},
		{"is absent", "{'Null':{'vpc-lattice-svcs:Port':true}}", false},
		{"any of",
				"{'ForAnyValue:StringEquals':{'vpc-lattice-svcs:SourceVpc':['vpc-1'"
				",'b']}}",
				true},
		{"all of", "{'ForAllValues:StringLike':{'vpc-lattice-svcs:SourceVpc':'b*'}}",
				false},
		{"two operators, one fails",
				"{'StringLike':{'vpc-lattice-svcs:SourceVpc':'*'},'NumericEquals':{"
				"'vpc-lattice-svcs:Port':80}}",
				false},
};

static bool
condition_holds(const char *condition, const struct lath_policy_request *request)
{
	struct lath_policy_complaint why;
	char text[1024];
	struct lath_policy *policy;
	bool holds;

	snprintf(text, sizeof(text), "{'Statement':%s%s}}", HEAD, condition);
	policy = compile(text, &why);
	if (policy == NULL)
		fail_msg("%s: %s", condition, why.text);
	holds = lath_policy_evaluate(policy, request, NULL) == LATH_POLICY_ALLOW;
	free(policy);
	return holds;
}

static void
conditions_mean_what_iam_says(void **state)
{
	struct lath_policy_request request = caller();

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(condition_rows); i++) {
		if (condition_holds(condition_rows[i].condition, &request) !=
				condition_rows[i].holds)
			fail_msg("row \"%s\"", condition_rows[i].name);
	}
}

/* A ping has no port. */
static const struct {
	const char *name;
	const char *condition;
	bool holds;
} absent_rows[] = {
		{"plain", "{'NumericEquals':{'vpc-lattice-svcs:Port':443}}", false},
		{"negated", "{'NumericNotEquals':{'vpc-lattice-svcs:Port':443}}", true},
		{"less", "{'NumericLessThan':{'vpc-lattice-svcs:Port':443}}", false},
		{"if exists", "{'NumericEqualsIfExists':{'vpc-lattice-svcs:Port':443}}", true},
		{"negated if exists", "{'NumericNotEqualsIfExists':{'vpc-lattice-svcs:Port':443}}",
				true},
		{"null", "{'Null':{'vpc-lattice-svcs:Port':'true'}}", true},
		{"not null", "{'Null':{'vpc-lattice-svcs:Port':'false'}}", false},
		{"any value", "{'ForAnyValue:NumericEquals':{'vpc-lattice-svcs:Port':443}}", false},
		{"any value, negated",
				"{'ForAnyValue:NumericNotEquals':{'vpc-lattice-svcs:Port':443}}",
				false},
		{"any value if exists",
				"{'ForAnyValue:NumericEqualsIfExists':{'vpc-lattice-svcs:Port':443}"
				"}",
				true},
		{"all values", "{'ForAllValues:NumericEquals':{'vpc-lattice-svcs:Port':443}}",
				true},
};

static void
absent_keys_count_as_iam_says(void **state)
{
	struct lath_policy_request request = caller();

	(void)state;
	request.port = 0;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(absent_rows); i++) {
		if (condition_holds(absent_rows[i].condition, &request) != absent_rows[i].holds)
			fail_msg("row \"%s\"", absent_rows[i].name);
	}
}

static void
deny_wins_wherever_it_stands(void **state)
{
	struct lath_policy_request request = caller();
	struct lath_policy_complaint why;
	struct lath_policy *policy =
			compile("{'Version':'2012-10-17','Id':'x','Statement':["
				"{'Sid':'all','Effect':'Allow','Principal':'*','Action':'*','"
				"Resource':'*'},"
				"{'Effect':'Deny','Principal':'*','NotAction':'*','Resource':'*'},"
				"{'Sid':'not "
				"web','Effect':'Deny','Principal':'*','Action':'*','Resource':'*',"
				"'Condition':{'NumericEquals':{'vpc-lattice-svcs:Port':443}}}]}",
					&why);
	uint32_t statement;

	(void)state;
	assert_non_null(policy);
	assert_int_equal(lath_policy_evaluate(policy, &request, &statement), LATH_POLICY_DENY);
	assert_int_equal(statement, 2);
	assert_string_equal(lath_policy_sid(policy, statement), "not web");
	assert_string_equal(lath_policy_sid(policy, 1), "");
	request.port = 80;
	assert_int_equal(lath_policy_evaluate(policy, &request, &statement), LATH_POLICY_ALLOW);
	assert_string_equal(lath_policy_sid(policy, statement), "all");
	free(policy);
}

static void
a_block_can_be_moved(void **state)
{
	struct lath_policy_request request = caller();
	struct lath_policy_complaint why;
	struct lath_policy
			*policy = compile("{'Statement':" HEAD
					  "{'StringLike':{'vpc-lattice-svcs:SourceVpc':'v*1'}}}}",
					&why);
	struct lath_policy *copy;

	(void)state;
	assert_non_null(policy);
	copy = malloc(lath_policy_size(policy));
	memcpy(copy, policy, lath_policy_size(policy));
	memset(policy, 0xff, lath_policy_size(copy));
	free(policy);
	assert_int_equal(lath_policy_evaluate(copy, &request, NULL), LATH_POLICY_ALLOW);
	free(copy);
}

#define PLAIN "'Effect':'Allow','Principal':'*','Action':'*','Resource':'*'"

static const struct {
	const char *name;
	const char *document;
	const char *pointer;
	const char *says; /* part of the sentence */
} refused_rows[] = {
		{"no object", "[]", "", "[] is no policy"},
		{"unknown member", "{'Statements':[]}", "/Statements", "accepted: Version, Id"},
		{"version", "{'Version':'2020-01-01','Statement':{" PLAIN "}}", "/Version",
				"2012-10-17"},
		{"no statement", "{'Version':'2012-10-17'}", "", "\"Statement\" is missing"},
		{"no statements", "{'Statement':[]}", "/Statement", "1 or more"},
		{"a statement of text", "{'Statement':['x']}", "/Statement/0", "no statement"},
		{"effect",
				"{'Statement':[{'Effect':'allow','Principal':'*','Action':'*',"
				"'Resource':'*'}]}",
				"/Statement/0/Effect", "Allow, Deny"},
		{"no effect", "{'Statement':{'Principal':'*','Action':'*','Resource':'*'}}",
				"/Statement", "\"Effect\" is missing"},
		{"sid", "{'Statement':{'Sid':'a/b'," PLAIN "}}", "/Statement/Sid", "no Sid"},
		{"sid twice", "{'Statement':[{'Sid':'a'," PLAIN "},{'Sid':'a'," PLAIN "}]}",
				"/Statement/1/Sid", "statement 0 as well"},
		{"no principal", "{'Statement':{'Effect':'Deny','Action':'*','Resource':'*'}}",
				"/Statement", "one of \"Principal\" and"},
		{"both principals", "{'Statement':{'NotPrincipal':'*'," PLAIN "}}", "/Statement",
				"one of \"Principal\" and"},
		{"a user",
				"{'Statement':{'Effect':'Allow','Principal':{'AWS':"
				"'arn:aws:iam::111122223333:user/"
				"eve'},'Action':'*','Resource':'*'}}",
				"/Statement/Principal/AWS", "anonymous"},
		{"a service",
				"{'Statement':{'Effect':'Allow','Principal':{'Service':"
				"'ec2.amazonaws.com'},'Action':'*','Resource':'*'}}",
				"/Statement/Principal/Service", "accepted: \"AWS\""},
		{"nobody",
				"{'Statement':{'Effect':'Allow','Principal':{'AWS':[]},'Action':'*'"
				","
				"'Resource':'*'}}",
				"/Statement/Principal/AWS", "names nobody"},
		{"Invoke",
				"{'Statement':{'Effect':'Deny','Principal':'*','Action':["
				"'vpc-lattice-svcs:Connect','vpc-lattice-svcs:Invoke'],'Resource':'"
				"*'}}",
				"/Statement/Action/1", "no action of layer 4"},
		{"no action", "{'Statement':{'Effect':'Deny','Principal':'*','Resource':'*'}}",
				"/Statement", "\"NotAction\""},
		{"resource",
				"{'Statement':{'Effect':'Deny','Principal':'*','Action':'*',"
				"'Resource':'orders'}}",
				"/Statement/Resource", "\"orders\" is no resource"},
};

/* The same for a Condition; the pointer goes on from there. */
static const struct {
	const char *name;
	const char *condition;
	const char *pointer;
	const char *says;
} refused_conditions[] = {
		{"operator", "{'StringEqual':{'aws:SourceIp':'::1'}}", "/StringEqual",
				"near: \"StringEquals\""},
		{"null if exists", "{'NullIfExists':{'aws:SourceIp':true}}", "/NullIfExists",
				"no operator"},
		{"key", "{'StringEquals':{'vpc-lattice-svcs:RequestHeader/x':'a'}}",
				"/StringEquals/vpc-lattice-svcs:RequestHeader~1x",
				"accepted: vpc-lattice-svcs:SourceVpc, "},
		{"key in small letters", "{'IpAddress':{'aws:sourceip':'::1'}}",
				"/IpAddress/aws:sourceip", "no condition key"},
		{"operator and key", "{'StringEquals':{'vpc-lattice-svcs:Port':'443'}}",
				"/StringEquals/vpc-lattice-svcs:Port", "accepted: NumericEquals"},
		{"no values", "{'IpAddress':{'aws:SourceIp':[]}}", "/IpAddress/aws:SourceIp",
				"1 or more"},
		{"address", "{'IpAddress':{'aws:SourceIp':['10.0.0.1','x']}}",
				"/IpAddress/aws:SourceIp/1", "\"x\" is neither"},
		{"number", "{'NumericEquals':{'vpc-lattice-svcs:Port':'8x'}}",
				"/NumericEquals/vpc-lattice-svcs:Port", "no whole number"},
		{"bool", "{'Null':{'vpc-lattice-svcs:Port':'no'}}", "/Null/vpc-lattice-svcs:Port",
				"truth value"},
		{"variable", "{'StringLike':{'vpc-lattice-svcs:SourceVpc':'${aws:x}'}}",
				"/StringLike/vpc-lattice-svcs:SourceVpc", "policy variable"},
		{"ARN", "{'ArnLike':{'vpc-lattice-svcs:ServiceArn':'*'}}",
				"/ArnLike/vpc-lattice-svcs:ServiceArn", "six parts"},
};

static void
what_is_not_understood_is_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(refused_rows); i++) {
		struct lath_policy_complaint why;
		struct lath_policy *policy = compile(refused_rows[i].document, &why);

		if (policy != NULL || strcmp(why.pointer, refused_rows[i].pointer) != 0 ||
				strstr(why.text, refused_rows[i].says) == NULL)
			fail_msg("row \"%s\": \"%s\" \"%s\"", refused_rows[i].name, why.pointer,
					why.text);
	}
}

static void
conditions_not_understood_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(refused_conditions); i++) {
		struct lath_policy_complaint why;
		char text[512];
		char pointer[256];
		struct lath_policy *policy;

		snprintf(text, sizeof(text), "{'Statement':%s%s}}", HEAD,
				refused_conditions[i].condition);
		snprintf(pointer, sizeof(pointer), "/Statement/Condition%s",
				refused_conditions[i].pointer);
		policy = compile(text, &why);
		if (policy != NULL || strcmp(why.pointer, pointer) != 0 ||
				strstr(why.text, refused_conditions[i].says) == NULL)
			fail_msg("row \"%s\": \"%s\" \"%s\"", refused_conditions[i].name,
					why.pointer, why.text);
	}
}

static void
a_policy_has_its_size(void **state)
{
	struct lath_policy_complaint why;
	char *text = malloc(3 * LATH_POLICY_BYTES_MAX);
	size_t len = (size_t)sprintf(text,
			"{'Statement':" HEAD "{'StringEquals':{'vpc-lattice-svcs:SourceVpc':['a'");
	struct lath_policy *policy;

	(void)state;
	while (len < LATH_POLICY_BYTES_MAX - 100)
		len += (size_t)sprintf(text + len, ",'vpc-%zu'", len);
	strcpy(text + len, "]}}}}");
	policy = compile(text, &why);
	assert_non_null(policy);
	free(policy);
	while (len < LATH_POLICY_BYTES_MAX)
		len += (size_t)sprintf(text + len, ",'vpc-%zu'", len);
	strcpy(text + len, "]}}}}");
	assert_null(compile(text, &why));
	assert_non_null(strstr(why.text, "at most 10240"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(statements_mean_what_iam_says),
			cmocka_unit_test(conditions_mean_what_iam_says),
			cmocka_unit_test(absent_keys_count_as_iam_says),
			cmocka_unit_test(deny_wins_wherever_it_stands),
			cmocka_unit_test(a_block_can_be_moved),
			cmocka_unit_test(what_is_not_understood_is_refused),
			cmocka_unit_test(conditions_not_understood_are_refused),
			cmocka_unit_test(a_policy_has_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
