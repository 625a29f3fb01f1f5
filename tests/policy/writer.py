# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Random policies and callers out of few words, so that they meet often."""

VPCS = ["vpc-1", "vpc-12", "VPC-1", "vpc-ab"]
ACCOUNTS = ["111122223333", "222233334444", "000000000001"]
SERVICES = [f"arn:aws:vpc-lattice:{region}:{account}:service/svc-{name}"
            for region in ("local-1", "r2") for account in ACCOUNTS[:2] for name in ("a", "b")]
NETWORKS = [f"arn:aws:vpc-lattice:local-1:{account}:servicenetwork/sn-{name}"
            for account in ACCOUNTS[:2] for name in ("a", "b")]
ADDRESSES = ["10.0.0.5", "10.0.1.5", "192.0.2.1", "2001:db8::5", "2001:db8:1::5"]
PREFIXES = ["10.0.0.0/24", "10.0.0.0/8", "10.0.0.5", "10.0.0.9/24", "0.0.0.0/0", "192.0.2.0/31",
            "2001:db8::/32", "2001:db8::5", "::/0"]
PORTS = [80, 443, 8080, 65535]
TYPES = {
    "vpc-lattice-svcs:SourceVpc": ("text", VPCS),
    "vpc-lattice-svcs:SourceVpcOwnerAccount": ("text", ACCOUNTS),
    "vpc-lattice-svcs:Port": ("number", PORTS),
    "vpc-lattice-svcs:ServiceArn": ("arn", SERVICES),
    "vpc-lattice-svcs:ServiceNetworkArn": ("arn", NETWORKS),
    "aws:SourceIp": ("ip", PREFIXES),
    "aws:PrincipalType": ("text", ["Anonymous", "anonymous", "User"]),
    "aws:PrincipalIsAWSService": ("bool", []),
}
TEXT = ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
        "StringLike", "StringNotLike"]
OPERATORS = {
    "text": TEXT,
    "arn": TEXT + ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
    "number": ["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
               "NumericGreaterThan", "NumericGreaterThanEquals"],
    "ip": ["IpAddress", "NotIpAddress"],
    "bool": ["Bool"],
}


def blur(random, text, keep=0):
    """The text with wildcards for some of it, behind its first `keep` characters."""
    out = list(text)
    for _ in range(random.randrange(3)):
        at = random.randrange(keep, len(out) + 1)
        end = min(len(out), at + random.randrange(4))
        out[at:end] = random.choice(["*", "?", "*", "?*"])
    return "".join(out)


def some(random, make, most=3):
    """One value, or a list of some."""
    if random.random() < 0.5:
        return make()
    return [make() for _ in range(random.randint(1, most))]


def value(random, kind, words, operator):
    if operator == "Null" or kind == "bool":
        return random.choice([True, False, "true", "false"])
    if kind == "number":
        number = random.choice(words) + random.choice([0, 0, -1, 1])
        return random.choice([number, str(number)])
    word = random.choice(words)
    if "Arn" in operator:
        # Whole parts only: the number of colons has to stay.
        parts = word.split(":", 5)
        for i in range(1, 6):
            if random.random() < 0.4:
                parts[i] = blur(random, parts[i])
        return ":".join(parts)
    if "Like" in operator and random.random() < 0.7:
        return blur(random, word) or "*"
    return word


def conditions(random):
    out = {}
    for _ in range(random.randrange(4)):
        key, (kind, words) = random.choice(list(TYPES.items()))
        operator = "Null" if random.random() < 0.1 else random.choice(OPERATORS[kind])
        name = operator
        if operator != "Null":
            name = random.choice(["", "", "", "ForAnyValue:", "ForAllValues:"]) + name
            name += random.choice(["", "", "", "IfExists"])
        out.setdefault(name, {})[key] = some(
            random, lambda: value(random, kind, words, operator))  # pylint: disable=W0640
    return out


def account(random):
    one = random.choice(ACCOUNTS)
    return random.choice(["*", one, one, f"arn:aws:iam::{one}:root"])


def statement(random):
    out = {"Effect": random.choice(["Allow", "Allow", "Deny"])}
    who = "*" if random.random() < 0.4 else {"AWS": some(random, lambda: account(random))}
    out[random.choice(["Principal"] * 4 + ["NotPrincipal"])] = who
    if random.random() < 0.9:
        out["Action"] = some(random, lambda: random.choice(
            ["*", "vpc-lattice-svcs:*", "vpc-lattice-svcs:Connect", "vpc-LATTICE-svcs:con?ect"]))
    else:
        out["NotAction"] = some(random, lambda: random.choice(
            ["vpc-lattice-svcs:Invoke", "vpc-lattice-svcs:Invoke", "*:Connect"]))
    resources = some(random, lambda: random.choice(
        ["*", blur(random, random.choice(SERVICES), 4), random.choice(SERVICES)]))
    out[random.choice(["Resource"] * 4 + ["NotResource"])] = resources
    if random.random() < 0.8:
        out["Condition"] = conditions(random)
    return {key: out[key] for key in out if out[key] != {}}


def policy(random):
    statements = [statement(random) for _ in range(random.randint(1, 5))]
    out = {"Statement": statements[0] if random.random() < 0.1 else statements}
    if random.random() < 0.8:
        out["Version"] = random.choice(["2012-10-17", "2008-10-17"])
    return out


def request(random):
    out = {
        "vpc": random.choice(VPCS),
        "account": random.choice(ACCOUNTS),
        "service": random.choice(SERVICES),
        "network": random.choice(NETWORKS),
        "ip": random.choice(ADDRESSES),
        "port": random.choice(PORTS),
    }
    for key in ("vpc", "account", "network", "ip", "port"):
        if random.random() < 0.08:
            del out[key]
    return out
