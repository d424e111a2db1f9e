#!/usr/bin/env python3
"""Runs cases.yaml in a real Envoy and writes what happened: record.py ENVOY PROBE.wasm OUT.json [CASE...]

Needs PyYAML. Every case has a listener, a VM and an access log of its own in one Envoy process.
"""
import json, os, re, socket, struct, subprocess, sys, tempfile, threading, time
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def serve(handle):
    listener = socket.create_server(("127.0.0.1", 0))

    def loop():
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=handle, args=(peer,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return listener.getsockname()[1]


def read_head(peer, data=b""):
    while b"\r\n\r\n" not in data:
        piece = peer.recv(65536)
        if not piece:
            return None, data
        data += piece
    head, rest = data.split(b"\r\n\r\n", 1)
    return head.decode("latin1").split("\r\n"), rest


def field(head, name):
    values = [line.split(":", 1)[1].strip() for line in head[1:] if line.lower().startswith(name + ":")]
    return values[0] if values else None


def read_body(peer, head, rest):
    """Body, trailers, whether complete."""
    length = field(head, "content-length")
    chunked = (field(head, "transfer-encoding") or "").lower() == "chunked"
    try:
        if length:
            while len(rest) < int(length):
                piece = peer.recv(65536)
                if not piece:
                    return rest, [], False
                rest += piece
            return rest[: int(length)], [], True
        if not chunked:
            return b"", [], True
        body = b""
        while True:
            while b"\r\n" not in rest:
                piece = peer.recv(65536)
                if not piece:
                    return body, [], False
                rest += piece
            line, rest = rest.split(b"\r\n", 1)
            size = int(line, 16)
            if size == 0:
                while not (rest.startswith(b"\r\n") or b"\r\n\r\n" in rest):
                    piece = peer.recv(65536)
                    if not piece:
                        return body, [], False
                    rest += piece
                text = rest.split(b"\r\n\r\n")[0].decode("latin1")
                return body, [line.split(": ", 1) for line in text.split("\r\n") if ": " in line], True
            while len(rest) < size + 2:
                piece = peer.recv(65536)
                if not piece:
                    return body + rest, [], False
                rest += piece
            body, rest = body + rest[:size], rest[size + 2 :]
    except OSError:
        return rest, [], False


seen = {}
answers = {}


def upstream(peer):
    try:
        head, rest = read_head(peer)
        if head is None:
            return
        case = field(head, "x-case")
        entry = {"headers": [line.split(": ", 1) if ": " in line else [line.rstrip(":"), ""] for line in head[1:]], "line": head[0]}
        entry["complete"] = False
        seen.setdefault(case, []).append(entry)
        body, trailers, complete = read_body(peer, head, rest)
        entry.update(body=body.decode("latin1"), trailers=trailers, complete=complete)
        if not complete:
            return
        answer = answers.get(case) or {}
        pieces = content(answer.get("pieces", ["upstream"]))
        out = f"HTTP/1.1 {answer.get('status', 200)} OK\r\n"
        for name, value in answer.get("headers", []):
            out += f"{name}: {value}\r\n"
        out += "connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        peer.sendall(out.encode("latin1"))
        for piece in pieces:
            time.sleep(0.03)
            peer.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        time.sleep(0.03)
        peer.sendall(b"0\r\n\r\n")
    except OSError:
        pass


def far(peer):
    head, rest = read_head(peer)
    if head:
        body, _, _ = read_body(peer, head, rest)
        text = b"far says hello" + (b" to " + body if body else b"")
        peer.sendall(b"HTTP/1.1 200 OK\r\nx-far: yes\r\ncontent-length: %d\r\n\r\n%s" % (len(text), text))
        time.sleep(2)


def slow(peer):
    time.sleep(30)


def reset(peer):
    head, _ = read_head(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart")
    time.sleep(0.05)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def content(pieces):
    return [b"x" * piece if isinstance(piece, int) else str(piece).encode("latin1") for piece in pieces]


def cluster(name, port, http2=False, trailers=False):
    endpoints = [] if port is None else [{"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}]
    entry = {"name": name, "type": "STATIC", "connect_timeout": "1s", "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}}
    if trailers:
        entry["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}}}}
    if http2:
        entry["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}}}}
    return entry


def listener(case, log_dir, module):
    name = case["name"]
    vm = {"vm_id": name, "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}}
    if "env" in case:
        vm["environment_variables"] = {"key_values": {n: v for n, v in case["env"]}}
    config = {"name": name, "vm_config": vm, "failure_policy": case.get("policy", "FAIL_CLOSED"),
              "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": case["script"]}}
    if case.get("allow"):
        config["allow_on_headers_stop_iteration"] = True
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": case["port"]}},
        "per_connection_buffer_limit_bytes": case.get("limit", 1 << 20),
        "filter_chains": [{"filters": [{"name": "hcm", "typed_config": {
            "@type": HCM, "stat_prefix": name, "generate_request_id": False,
            "http_protocol_options": {"enable_trailers": True},
            "access_log": [{"name": "f", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": f"{log_dir}/{name}.log",
                "log_format": {"text_format_source": {"inline_string": f"%RESPONSE_CODE%|%RESPONSE_CODE_DETAILS%|%FILTER_STATE(wasm.{case.get('state', 'k')}:PLAIN)%\n"}}}}],
            "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]}]},
            "http_filters": [
                {"name": "wasm", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": config}},
                {"name": "router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}]}],
    }


def ask(case):
    peer = socket.create_connection(("127.0.0.1", case["port"]), timeout=3)
    pieces = content(case.get("pieces", []))
    chunked = "trailers" in case or case.get("chunked")
    head = f"{case.get('method', 'GET')} {case.get('path', '/')} HTTP/1.1\r\nhost: shop.example\r\n"
    for name, value in case.get("headers", []):
        head += f"{name}: {value}\r\n"
    head += f"x-case: {case['name']}\r\n"
    if chunked:
        head += "transfer-encoding: chunked\r\n"
    elif pieces:
        head += f"content-length: {sum(map(len, pieces))}\r\n"
    try:
        peer.sendall(head.encode("latin1") + b"\r\n")
        for piece in pieces:
            time.sleep(0.05)
            peer.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            time.sleep(0.05)
            trailers = "".join(f"{n}: {v}\r\n" for n, v in case.get("trailers", []))
            peer.sendall(b"0\r\n" + trailers.encode() + b"\r\n")
    except OSError:
        pass
    peer.settimeout(1.0 if case.get("hangs") else 2.5)
    result = {"status": 0, "headers": [], "body": ""}
    try:
        answer, rest = read_head(peer)
        if answer:
            result["status"] = int(answer[0].split()[1])
            result["headers"] = [line.split(": ", 1) if ": " in line else [line.rstrip(":"), ""] for line in answer[1:]]
            if case.get("method") != "HEAD":
                body, _, _ = read_body(peer, answer, rest)
                result["body"] = body.decode("latin1")
    except TimeoutError:
        result["timeout"] = True
    except OSError:
        pass
    peer.close()
    return result


def main():
    envoy, module, out = sys.argv[1:4]
    cases = yaml.safe_load(open(f"{HERE}/cases.yaml"))
    if sys.argv[4:]:
        cases = [case for case in cases if case["name"] in sys.argv[4:]]
    work = tempfile.mkdtemp()
    free = [socket.create_server(("127.0.0.1", 0)) for _ in cases]
    for case, reserved in zip(cases, free):
        case["port"] = reserved.getsockname()[1]
        answers[case["name"]] = case.get("answer")
    for reserved in free:
        reserved.close()
    dead = socket.create_server(("127.0.0.1", 0))
    dead_port = dead.getsockname()[1]
    dead.close()
    clusters = [cluster("upstream", serve(upstream), trailers=True), cluster("far", serve(far)), cluster("slow", serve(slow)),
                cluster("reset", serve(reset)), cluster("dead", dead_port), cluster("empty", None),
                cluster("grpc_slow", serve(slow), True), cluster("grpc_dead", dead_port, True), cluster("grpc_empty", None, True)]
    config = {"static_resources": {"listeners": [listener(case, work, module) for case in cases], "clusters": clusters}}
    json.dump(config, open(f"{work}/envoy.json", "w"))
    log_path = f"{work}/envoy.log"
    process = subprocess.Popen([envoy, "-c", f"{work}/envoy.json", "--concurrency", "1", "--use-dynamic-base-id", "-l", "warning",
                                "--component-log-level", "wasm:info", "--log-format", "%v"], stdout=open(log_path, "w"), stderr=subprocess.STDOUT)
    for _ in range(200):
        time.sleep(0.2)
        try:
            socket.create_connection(("127.0.0.1", cases[-1]["port"]), timeout=1).close()
            break
        except OSError:
            if process.poll() is not None:
                sys.exit(open(log_path).read()[-3000:])
    # With cases named, the others keep what was recorded before.
    recorded = json.load(open(out)) if sys.argv[4:] and os.path.exists(out) else {}
    for case in cases:
        name = case["name"]
        time.sleep(case.get("wait_ms", 0) / 1000)
        start = os.path.getsize(log_path)
        results = [ask(case) for _ in range(1 + case.get("then", 0))]
        time.sleep(0.4)
        log = open(log_path).read()[start:].splitlines()
        prefix = re.compile(rf"wasm log {name}( {name})?: ")
        lines = [prefix.sub("", line, count=1) for line in log if prefix.match(line)]
        access = open(f"{work}/{name}.log").read().splitlines()
        entry = {"results": results, "logs": lines, "access": access, "upstream": seen.get(name, [])}
        recorded[name] = entry
        json.dump(recorded, open(out, "w"), indent=1, ensure_ascii=True)
        print(name, [r["status"] for r in results], access, len(lines), flush=True)
    process.terminate()


main()
