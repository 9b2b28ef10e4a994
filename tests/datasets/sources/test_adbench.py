import hashlib
import http.server
import io
import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from xadbench.datasets import InputError, load_adbench
from xadbench.datasets.sources import adbench
from xadbench.datasets.sources.adbench import adbench_registry, find_adbench


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.fixture
def tiny(monkeypatch):
    """Return the bytes of a small file that the registry knows as "tiny", by git's hash alone."""
    content = npz(X=np.eye(4), y=np.array([0, 1, 0, 0]))
    sha1 = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324  # git's own hash
    entry = adbench.AdbenchFile("Classical", "99_tiny.npz", "tiny", sha1, "", None)
    monkeypatch.setattr(adbench, "adbench_registry", lambda: {entry.full_name: entry})
    return content


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder in place of ADBench's source, with an empty cache; yield the folder."""
    folder = tmp_path / "served"
    (folder / "Classical").mkdir(parents=True)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setattr(adbench, "SOURCE", f"http://127.0.0.1:{running.server_port}")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.delenv("XADBENCH_ADBENCH_DIR", raising=False)
        yield folder
        running.shutdown()


def test_the_registry_holds_every_file_of_adbench():
    groups = Counter(entry.group for entry in adbench_registry().values())
    assert groups == {
        "Classical": 47,
        "CV_by_ResNet18": 61,
        "CV_by_ViT": 61,
        "NLP_by_BERT": 13,
        "NLP_by_RoBERTa": 13,
    }
    assert all(len(entry.git_blob_sha1) == 40 for entry in adbench_registry().values())


def test_names_find_their_file():
    assert find_adbench("PageBlocks").file == "27_PageBlocks.npz"
    assert find_adbench("CV_by_ViT/CIFAR10_0").group == "CV_by_ViT"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("PageBlock", "unknown ADBench data set 'PageBlock' .*did you mean PageBlocks"),
        ("qqqq", r"unknown ADBench data set 'qqqq'; .*xadbench list datasets"),
        ("CIFAR10_0", "stands for 2 files; say CV_by_ResNet18/CIFAR10_0 or CV_by_ViT/CIFAR10_0"),
    ],
)
def test_a_name_that_finds_no_single_file_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        find_adbench(name)


def test_every_local_file_is_what_the_registry_says(adbench_folder):
    names = [entry.name for entry in adbench_registry().values() if (adbench_folder / entry.file).exists()]
    assert names
    for name in names:
        entry = find_adbench(name)
        content = (adbench_folder / entry.file).read_bytes()
        entry.check(content, name)
        assert adbench._git_blob_sha1(content) == entry.git_blob_sha1


def test_a_real_file_has_the_published_size(adbench_folder):
    table = load_adbench("PageBlocks", adbench_folder)
    assert (table.n_rows, table.n_features, int(table.y.sum())) == (5393, 10, 510)
    assert table.mask is None
    assert table.provenance["commit"] == adbench.COMMIT


def test_the_environment_names_the_folder(tiny, tmp_path, monkeypatch):
    (tmp_path / "99_tiny.npz").write_bytes(tiny)
    monkeypatch.setenv("XADBENCH_ADBENCH_DIR", str(tmp_path))
    assert load_adbench("tiny").y.tolist() == [False, True, False, False]


@pytest.mark.parametrize("damage", [lambda c: c[:-30], lambda c: c[:40] + b"!" + c[41:]])
def test_a_truncated_or_altered_file_is_refused_before_it_is_read(tiny, tmp_path, damage, monkeypatch):
    (tmp_path / "99_tiny.npz").write_bytes(damage(tiny))
    monkeypatch.setattr(adbench.np, "load", lambda *_, **__: pytest.fail("read before it was verified"))
    with pytest.raises(InputError, match=r"99_tiny\.npz: truncated or altered"):
        load_adbench("tiny", tmp_path)
    assert (tmp_path / "99_tiny.npz").exists()


def test_a_known_sha256_is_what_counts(tiny):
    entry = adbench.AdbenchFile("g", "f", "n", "0" * 40, hashlib.sha256(tiny).hexdigest(), None)
    entry.check(tiny, "here")
    with pytest.raises(InputError, match="SHA-256"):
        entry.check(tiny + b"x", "here")


def test_a_file_that_is_not_there_is_named(tiny, tmp_path):
    with pytest.raises(InputError, match=r"has no file 99_tiny\.npz"):
        load_adbench("tiny", tmp_path)


def test_a_download_is_verified_and_kept(tiny, server):
    served = server / "Classical" / "99_tiny.npz"
    served.write_bytes(tiny)
    assert load_adbench("tiny").n_rows == 4
    served.unlink()
    assert load_adbench("tiny").n_rows == 4


def test_an_altered_download_is_refused_and_not_kept(tiny, server):
    served = server / "Classical" / "99_tiny.npz"
    served.write_bytes(tiny[:-1])
    with pytest.raises(InputError, match="truncated or altered"):
        adbench.adbench_path("tiny")
    assert kept(server) == []
    served.write_bytes(tiny)
    assert load_adbench("tiny").n_rows == 4


def kept(server):
    return [path for path in (server.parent / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_download_beyond_its_limit_is_refused_and_not_kept(tiny, server, monkeypatch, is_known):
    limit = len(tiny) if is_known else 1000
    ((name, entry),) = adbench.adbench_registry().items()
    known = replace(entry, size=limit if is_known else None)
    monkeypatch.setattr(adbench, "adbench_registry", lambda: {name: known})
    monkeypatch.setattr(adbench, "DOWNLOAD_BYTES", 10**9 if is_known else limit)
    (server / "Classical" / "99_tiny.npz").write_bytes(tiny + bytes(10**6))
    with pytest.raises(InputError, match=rf"99_tiny\.npz: more than {limit} bytes, the limit of this file$"):
        load_adbench("tiny")
    assert kept(server) == []


def test_a_local_file_beyond_the_limit_is_not_read_to_its_end(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(adbench, "DOWNLOAD_BYTES", len(tiny) - 1)
    (tmp_path / "99_tiny.npz").write_bytes(tiny)
    with pytest.raises(InputError, match=rf"99_tiny\.npz: more than {len(tiny) - 1} bytes, the limit"):
        load_adbench("tiny", tmp_path)


@pytest.mark.usefixtures("server", "tiny")
def test_a_failed_download_says_what_to_do():
    with pytest.raises(InputError, match=r"cannot download .*; set XADBENCH_ADBENCH_DIR"):
        load_adbench("tiny")
