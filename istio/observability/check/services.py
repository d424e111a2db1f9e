"""What stands behind the gateway: an upstream, an ext_authz adapter and a rate-limit service, whose answers the load chooses."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import h2.config
import h2.connection
import h2.events


class Upstream(BaseHTTPRequestHandler):
    """200 to everything."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Upstreams(ThreadingHTTPServer):
    def handle_error(self, *_):
        """A gateway that refuses a request for its body cuts the connection."""


def upstream():
    server = Upstreams(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def field(number, payload):
    """A length-delimited protobuf field, or a varint one for an int."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def header(name, value):
    """envoy.config.core.v3.HeaderValueOption."""
    return field(1, field(1, name.encode()) + field(2, value.encode()))


def check_response(question):
    """envoy.service.auth.v3.CheckResponse, by the verdict that the request's path asks for. `None`: no answer in time."""
    if b"/matches/9001/" in question:
        return None
    if b"/matches/9002/" in question:
        return b"\xff\xff not protobuf"
    if b"/matches/9003/" in question:  # THROTTLE
        return field(1, b"") + field(3, field(2, header("x-defense-throttle-ms", "80")))
    if b"/matches/9004/" in question:  # CHALLENGE
        denied = field(1, field(1, 428)) + field(2, header("x-defense-reason", "CHALLENGE_REQUIRED"))
        return field(1, field(1, 7)) + field(2, denied)
    if b"/matches/9005/" in question:  # BLOCK
        denied = field(1, field(1, 403)) + field(2, header("x-defense-reason", "BLOCKED"))
        return field(1, field(1, 7)) + field(2, denied)
    return field(1, b"")


def rate_limit_response(question):
    """envoy.service.ratelimit.v3.RateLimitResponse: over the limit for one address, silent for another, else OK."""
    if b"192.0.2.77" in question:
        return None
    return field(1, 2 if b"192.0.2.66" in question else 1)


class Grpc:
    """One gRPC service on HTTP/2 without TLS: unary calls, answered by a function from bytes to bytes."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        h2c = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        h2c.initiate_connection()
        connection.sendall(h2c.data_to_send())
        questions = {}
        while data := connection.recv(65536):
            for event in h2c.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    questions[event.stream_id] = questions.get(event.stream_id, b"") + event.data
                    h2c.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self.reply(h2c, event.stream_id, questions.pop(event.stream_id, b""))
            connection.sendall(h2c.data_to_send())

    def reply(self, h2c, stream, question):
        answer = self.answer(question[5:])
        if answer is None:
            return
        h2c.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        h2c.send_data(stream, b"\0" + len(answer).to_bytes(4, "big") + answer)
        h2c.send_headers(stream, [("grpc-status", "0")], end_stream=True)


def wait_for(condition, what, seconds=30):
    """Asks again until it is so; an error after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"dashboards: {what} did not come in {seconds} s")
