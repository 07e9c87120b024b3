"""The explorer answers after malformed requests, and its memory does not grow.

Run by `make torture`, or a part of it by `TORTURE=0.1 make torture`.
"""

import contextlib
import http.client
import io
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
SHARE = float(os.environ.get("TORTURE", "1"))
SEED = int(os.environ.get("TORTURE_SEED", "0"))
MALFORMED = 200
MOVES = max(500, round(10_000 * SHARE))
PICTURES = max(20, round(200 * SHARE))
LARGEST_GROWTH = 24 * 2**20
"""Bytes: an allocator keeps a little, a leak of one answer's pixels would be more."""

CODES = {"categorical_0": None} | {f"uniform_{i}": 0.0 for i in range(4)}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def process(trained_run):
    command = [sys.executable, "-m", "infogan_jax", "explore"]
    started = subprocess.Popen(
        [*command, f"--workdir={trained_run}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield started
    started.kill()


@pytest.fixture(scope="module")
def port(process):
    line = process.stdout.readline()
    return int(re.match(r"http://127\.0\.0\.1:(\d+) ", line)[1])


def connect(port):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def ask(connection, path, body, headers=JSON):
    method = "POST" if body else "GET"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def view(rng, first_row=0):
    codes = {name: rng.uniform(-2, 2) for name in CODES}
    codes["categorical_0"] = rng.choice([None, *range(10)])
    rows = list(range(first_row, first_row + 10))
    return {"codes": codes, "rows": rows, "code": rng.choice(list(CODES))}


def is_answering(port):
    question = json.dumps(view(random.Random(0)))
    with contextlib.closing(connect(port)) as connection:
        status, content = ask(connection, "/api/samples", question)
    return status == 200 and content.startswith(b"\x89PNG")


def picture(rng):
    content = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(content, "PNG")
    return content.getvalue()


def malformed(rng):
    """The bytes of a request that is wrong in one of many ways."""
    good = json.dumps(view(rng)).encode()
    line, host = b"POST /api/samples HTTP/1.1", b"Host: 127.0.0.1"
    headers = [host, b"Content-Type: application/json"]
    length = b"Content-Length: %d" % len(good)
    noise = rng.randbytes(rng.randrange(1, 2000))
    choices = [
        (
            rng.choice([b"BREW", b"\0", b"GET", b"DELETE"]) + line[4:],
            [*headers, length],
            good,
        ),
        (b"POST " + noise, [*headers, length], good),
        (
            line.replace(b"1.1", rng.choice([b"9.9", b"", b"0.9"])),
            [*headers, length],
            good,
        ),
        (line, [b"Host: evil.example", length], good),
        (line, [length], good),
        (line, [host, host, length], good),
        (line, [*headers, b"Origin: http://evil.example", length], good),
        (line, [*headers, b"Content-Length: -1"], good),
        (line, [*headers, b"Content-Length: 99999999999999999999"], good),
        (line, [*headers, b"Content-Length: many"], good),
        (line, [*headers, length, b"Content-Length: 3"], good),
        (line, [*headers, b"Transfer-Encoding: chunked"], b"zz\r\n" + good),
        (line, [*headers, b"Transfer-Encoding: chunked"], b"fffffffff\r\n" + good),
        (line, [*headers, b"X: " + b"a" * 200_000, length], good),
        (line, [*headers, b"X" + noise.replace(b"\n", b""), length], good),
        (line, [*headers, b"Content-Length: %d" % len(noise)], noise),
        (line, [*headers, length], good[: len(good) // 2]),
        (line, [*headers, length], good.replace(b'"rows"', b'"\xff"')),
        (line.replace(b"samples", b"reading"), [*headers, length], good),
        (line.replace(b"samples", b"names"), [*headers, length], good),
        (
            line.replace(b"/api/samples", b"/" + b"../" * 500 + b"etc/passwd"),
            headers,
            b"",
        ),
        (b"CONNECT evil.example:443 HTTP/1.1", headers, b""),
        (b"GET http://evil.example/ HTTP/1.1", [b"Host: evil.example"], b""),
    ]
    first, rest, body = rng.choice(choices)
    return b"\r\n".join([first, *rest]) + b"\r\n\r\n" + body


def test_malformed_requests_and_half_open_connections_leave_it_answering(process, port):
    rng = random.Random(SEED)
    open_ones = []
    for number in range(MALFORMED):
        content = malformed(rng)
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        if number % 4 == 0:  # half open: a part, and then nothing
            connection.sendall(content[: rng.randrange(len(content))])
            open_ones.append(connection)
            continue
        try:
            connection.sendall(content)
            if number % 4 == 1:  # gone before the answer
                connection.close()
                continue
            connection.settimeout(1)
            answer = connection.recv(2**16)
            if answer:
                assert re.match(rb"HTTP/1\.1 [2-5]\d\d ", answer), answer[:100]
                assert b"Traceback" not in answer
        except (ConnectionError, TimeoutError):
            pass
        connection.close()
        assert number % 20 or is_answering(port), number
    assert is_answering(port)
    assert process.poll() is None
    for connection in open_ones:
        connection.close()
    assert is_answering(port)


def resident(process):
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc has the memory of a process")
@pytest.mark.parametrize("what", ["moves", "pictures"])
def test_the_memory_stays_flat(process, port, what):
    rng, dice = np.random.default_rng(SEED), random.Random(SEED)
    connection = connect(port)

    def move(number):
        path = "/api/traversal" if number % 3 == 0 else "/api/samples"
        question = json.dumps(view(dice, first_row=number // 50 * 10))
        assert ask(connection, path, question)[0] == 200

    def drop(number):
        path = "/api/nearest" if number % 3 == 0 else "/api/reading"
        assert ask(connection, path, picture(rng), {})[0] == 200

    act, count = (move, MOVES) if what == "moves" else (drop, PICTURES)
    for number in range(300 if what == "moves" else 12):  # caches and arenas fill
        act(number)
    before = resident(process)
    for number in range(count):
        act(number)
    growth = resident(process) - before
    connection.close()
    assert growth < LARGEST_GROWTH, f"{growth / 2**20:.1f} MiB after {count} {what}"


def test_it_ends_with_one_ctrl_c_and_has_written_nothing_to_the_terminal(process, port):
    with socket.create_connection(("127.0.0.1", port)) as half_open:
        half_open.sendall(b"GET / HT")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")
