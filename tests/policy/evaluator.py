# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Auth policies read straight off the document, after the IAM User Guide and nothing of lib/policy.

evaluate(policy, request) -> (effect, statement): "Deny" and "Allow" with the number of a statement
that says so (the first), or ("none", -1). A request is a dict with the keys of FACTS; an absent key
is absent in the sense of IAM.
"""
import ipaddress
import re

FACTS = {
    "vpc-lattice-svcs:SourceVpc": "vpc",
    "vpc-lattice-svcs:SourceVpcOwnerAccount": "account",
    "vpc-lattice-svcs:Port": "port",
    "vpc-lattice-svcs:ServiceArn": "service",
    "vpc-lattice-svcs:ServiceNetworkArn": "network",
    "aws:SourceIp": "ip",
}


def as_list(value):
    return value if isinstance(value, list) else [value]


def like(pattern, text):
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(c, re.escape(c)) for c in pattern), text, re.S) is not None


def arn_like(pattern, text):
    patterns, texts = pattern.split(":", 5), text.split(":", 5)
    return len(patterns) == len(texts) == 6 and all(map(like, patterns, texts))


def in_prefix(value, fact):
    network = ipaddress.ip_network(value, strict=False)
    address = ipaddress.ip_address(fact)
    return network.version == address.version and address in network


def same_truth(value, fact):
    return str(value).lower() == str(fact).lower()


POSITIVE = {
    "StringEquals": lambda value, fact: value == fact,
    "StringEqualsIgnoreCase": lambda value, fact: value.lower() == fact.lower(),
    "StringLike": like,
    "NumericEquals": lambda value, fact: fact == int(value),
    "NumericLessThan": lambda value, fact: fact < int(value),
    "NumericLessThanEquals": lambda value, fact: fact <= int(value),
    "NumericGreaterThan": lambda value, fact: fact > int(value),
    "NumericGreaterThanEquals": lambda value, fact: fact >= int(value),
    "IpAddress": in_prefix,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": same_truth,
}
NEGATIVE = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def fact_of(request, key):
    if key == "aws:PrincipalType":
        return "Anonymous"
    if key == "aws:PrincipalIsAWSService":
        return False
    return request.get(FACTS[key])


def matches(operator, values, fact):
    """One fact against the operator's values."""
    if operator in NEGATIVE:
        return not any(POSITIVE[NEGATIVE[operator]](value, fact) for value in values)
    return any(POSITIVE[operator](value, fact) for value in values)


def holds(operator, key, values, request):
    quantifier, _, name = operator.rpartition(":")
    fact = fact_of(request, key)
    if name == "Null":
        return any(same_truth(value, fact is None) for value in values)
    exists, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    if fact is None and exists:
        return True
    facts = [] if fact is None else [fact]
    if quantifier == "ForAnyValue":
        return any(matches(name, values, one) for one in facts)
    if quantifier == "ForAllValues":
        return all(matches(name, values, one) for one in facts)
    return matches(name, values, fact) if facts else name in NEGATIVE


def principal_is(principal, request):
    if principal == "*":
        return True
    for one in as_list(principal["AWS"]):
        account = re.fullmatch(r"arn:[^:]+:iam::(\d{12}):root|(\d{12})", one)
        if one == "*" or (account and request.get("account") == (account[1] or account[2])):
            return True
    return False


def either(statement, name, test):
    """`name` with the test, or Not`name` without it."""
    if name in statement:
        return test(statement[name])
    return not test(statement["Not" + name])


def applies(statement, request):
    action = "vpc-lattice-svcs:connect"
    return (
        either(statement, "Principal", lambda who: principal_is(who, request))
        and either(statement, "Action",
                   lambda all_: any(like(one.lower(), action) for one in as_list(all_)))
        and either(statement, "Resource",
                   lambda all_: any(like(one, request["service"]) for one in as_list(all_)))
        and all(holds(operator, key, as_list(values), request)
                for operator, keys in statement.get("Condition", {}).items()
                for key, values in keys.items())
    )


def evaluate(policy, request):
    said = [(statement["Effect"], number)
            for number, statement in enumerate(as_list(policy["Statement"]))
            if applies(statement, request)]
    for effect in ("Deny", "Allow"):
        for one in said:
            if one[0] == effect:
                return one
    return ("none", -1)
