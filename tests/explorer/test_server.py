"""The server answers this machine alone, within bounds, and writes only names.json."""

import base64
import io
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from infogan_jax.data.dataset import Split
from infogan_jax.errors import UserError
from infogan_jax.explorer import protection, server, views
from infogan_jax.trained import loading

CODES = {"categorical_0": 3} | {f"uniform_{i}": 0.0 for i in range(4)}
VIEW = {"codes": CODES, "rows": [0, 1]}
POSTS = ("samples", "traversal", "reading", "nearest")
TRAINING = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)


def client_of(model, load=lambda: Split(TRAINING)):
    return TestClient(server.create_app(model, load), "http://127.0.0.1:80")


@pytest.fixture(scope="module")
def client(model):
    return client_of(model)


def png(pixels):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG")
    return content.getvalue()


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def embedded(text):
    kind, data = text.split(",")
    assert kind == "data:image/png;base64"
    return pixels(base64.b64decode(data))


def test_the_run_is_described(client, model):
    about = client.get("/api/run").json()
    assert about["codes"][0] == {
        "name": "categorical_0",
        "kind": "categorical",
        "size": 10,
        "parent": "",
    }
    assert [code["name"] for code in about["codes"]] == list(CODES)
    assert (about["codes"][1]["low"], about["codes"][1]["high"]) == (-2, 2)
    assert about["image"] == [8, 8, 1]
    assert about["names"] == {}


def test_samples_come_as_one_picture(client, model):
    answer = client.post("/api/samples", json=VIEW)
    assert answer.headers["content-type"] == "image/png"
    view = views.parse_view(model.spec, VIEW)
    expected = views.samples(model, view)[..., 0]
    np.testing.assert_array_equal(pixels(answer.content), expected)


def test_a_traversal_comes_with_its_values(client, model):
    answer = client.post("/api/traversal", json=VIEW | {"code": "uniform_1"})
    view = views.parse_view(model.spec, VIEW)
    expected, values = views.traversal(model, view, model.code("uniform_1"))
    np.testing.assert_array_equal(pixels(answer.content), expected[..., 0])
    assert json.loads(answer.headers["x-values"]) == values


def test_a_picture_is_read_and_generated_again(client, model):
    picture = TRAINING[3]
    answer = client.post("/api/reading", content=png(picture[..., 0])).json()
    np.testing.assert_array_equal(embedded(answer["picture"]), picture[..., 0])
    read = model.encode(picture[None])
    for code in model.codes:
        parts = answer["codes"][code.name]
        expected = ["probabilities"] if code.is_categorical else ["mean", "sd"]
        assert list(parts) == expected
        for part, value in parts.items():
            np.testing.assert_allclose(value, read[f"{code.name}/{part}"][0], 1e-5)
    assert embedded(answer["reconstructions"]).shape == (8, 8 * views.COLUMNS)
    first = embedded(answer["reconstructions"])[:, :8].astype(int)
    again = model.reconstruct(picture[None], seed=0)[0, ..., 0]
    assert np.abs(first - again).max() <= 1


def test_the_nearest_image_of_a_training_image_is_itself(client):
    answer = client.post("/api/nearest", content=png(TRAINING[7, ..., 0])).json()
    nearest = embedded(answer["images"])
    assert nearest.shape == (8, 8 * 8)
    np.testing.assert_array_equal(nearest[:, :8], TRAINING[7, ..., 0])
    assert answer["distances"] == sorted(answer["distances"])
    assert answer["distances"][0] == pytest.approx(0, abs=1e-3)
    assert answer["among"] == "40 training images"


def test_where_the_data_is_gone_this_is_said_and_the_rest_works(model):
    def load():
        raise UserError("data.directory (=gone) does not exist.")

    client = client_of(model, load)
    answer = client.post("/api/nearest", content=png(TRAINING[7, ..., 0]))
    assert answer.status_code == 200
    assert "(=gone) does not exist" in answer.json()["missing"]
    assert client.post("/api/samples", json=VIEW).status_code == 200


def test_a_name_is_kept_in_the_run_and_nothing_else_is_written(own_run):
    client = client_of(loading.load(own_run))
    before = {path: path.stat().st_mtime_ns for path in own_run.rglob("*")}
    changed = {"uniform_1": "slant", "categorical_0/3": "zéro"}
    assert client.patch("/api/names", json=changed).json() == changed
    assert client.patch("/api/names", json={"uniform_2": "width"}).status_code == 200
    assert client.patch("/api/names", json={"uniform_2": ""}).json() == changed
    for path in POSTS:
        body = {"content": png(TRAINING[0, ..., 0])}
        if path in ("samples", "traversal"):
            body = {"json": VIEW | {"code": "uniform_0"}}
        assert client.post(f"/api/{path}", **body).status_code == 200
    after = {path: path.stat().st_mtime_ns for path in own_run.rglob("*")}
    assert set(after) - set(before) == {own_run / "names.json"}
    assert {path: after[path] for path in before if path != own_run} == {
        path: before[path] for path in before if path != own_run
    }
    assert client.get("/api/run").json()["names"] == changed
    assert loading.load(own_run).names == changed


@pytest.mark.parametrize(
    "names",
    [
        {"../config": "x"},
        {"uniform_9": "x"},
        {"uniform_0": 3},
        {"uniform_0": None},
        {"uniform_0": "a/b"},
        {"uniform_0": "a" * 65},
        {"uniform_0": "two\nlines"},
        {"uniform_0": "uniform_1"},
        {"categorical_0/10": "ten"},
    ],
)
def test_a_name_that_cannot_be_kept_is_refused(client, model, names):
    answer = client.patch("/api/names", json=names)
    assert answer.status_code == 400 and answer.json()["error"]
    assert not (model.workdir / "names.json").exists()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:9999", "[::1]:80", "LOCALHOST"]
)
def test_the_far_end_of_a_tunnel_is_answered(client, host):
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "127.0.0.1@evil.example"}, 421),
        ({"Host": "evil.example#127.0.0.1"}, 421),
        ({"Host": ""}, 421),
        ({"Host": "[::1"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:80"}, 403),
        ({"Origin": "http://127.0.0.1:81"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/run", "/api/names"])
def test_another_host_or_origin_is_refused(client, headers, status, path):
    assert client.get(path, headers=headers).status_code == status
    assert client.patch(path, headers=headers, json={}).status_code == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "BREW", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/api/run", "/api/samples", "/api/names"])
def test_another_method_is_refused(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 405 and answer.json()["error"]


@pytest.mark.parametrize(
    "path", ["/none", "/page.py", "/server.py", "/..%2fserver.py", "/api", "//api/run"]
)
def test_no_other_path_is_there(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["samples", "traversal"])
@pytest.mark.parametrize(
    "body, status",
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b'{"codes": ' + b"9" * 6000 + b"}", 400),
        (b"{}", 400),
        (b" " * (2**16 + 1), 413),
    ],
)
def test_what_is_no_question_is_refused(client, path, body, status):
    headers = {"Content-Type": "application/json"}
    answer = client.post(f"/api/{path}", content=body, headers=headers)
    assert answer.status_code == status and answer.json()["error"]


@pytest.mark.parametrize("code", [None, "none", 3, ["uniform_0"], {}])
def test_a_traversal_of_no_code_is_refused(client, code):
    answer = client.post("/api/traversal", json=VIEW | {"code": code})
    assert answer.status_code == 400
    assert "code must be the name of a code" in answer.json()["error"]


def test_another_kind_of_content_is_refused(client):
    """A page of another site can send plain text without asking the browser first."""
    content = json.dumps(VIEW)
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"Content-Type": kind}
        answer = client.post("/api/samples", content=content, headers=headers)
        assert answer.status_code == 415


def claims(width, height):
    """A PNG file of a few bytes whose header claims any size."""

    def chunk(kind, content):
        body = kind + content
        return (
            struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    end = chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + end


@pytest.mark.parametrize("path", ["reading", "nearest"])
@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "no picture"),
        (b"GIF89a" + b"\0" * 50, "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (claims(7000, 7000), "7000 x 7000 pixels, more than"),
        (claims(60_000, 60_000), "no picture of a size"),
        (claims(2**31 - 1, 2**31 - 1), "no picture of a size"),
        (claims(100, 100), "cannot be read"),
        (png(TRAINING[0, ..., 0])[:60], "cannot be read"),
    ],
    ids="empty gif svg large huge largest broken torn".split(),
)
def test_a_bomb_or_a_broken_picture_is_refused(client, path, content, words):
    answer = client.post(f"/api/{path}", content=content)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client):
    answer = client.post("/api/reading", content=b"a" * (2**24 + 1))
    assert answer.status_code == 413

    def endless():
        for _ in range(2**24 // 2**16 + 1):
            yield b"a" * 2**16

    assert client.post("/api/reading", content=endless()).status_code == 413


def test_a_content_that_does_not_come_is_given_up(client, monkeypatch):
    monkeypatch.setattr(protection, "SECONDS", 0.05)

    async def slow(scope, receive, send):
        async def wait():
            await server.anyio.sleep(10)

        await client.app(scope, wait, send)

    slowly = TestClient(slow, "http://127.0.0.1")
    assert slowly.post("/api/reading", content=b"a").status_code == 408


def test_a_page_may_load_and_send_nothing_elsewhere(client):
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert answer.headers["cache-control"] == "no-store"
    text = "".join(client.get(path).text for path in server.PAGES)
    assert "://" not in text.replace("http://127.0.0.1", "") and "url(" not in text
    assert " style=" not in client.get("/").text


def test_a_port_that_is_taken_is_one_line():
    with server.listen(0) as taken:
        with pytest.raises(UserError, match=r"--port \(=\d+\) cannot be used"):
            server.listen(taken.getsockname()[1])
