"""The fake Hub against the Hub's own client library: what it serves is what the real one's tools expect."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.fake_hub import FakeHub, Fault

_CLIENT = """
import sys
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
api = HfApi()
assert [m.id for m in api.list_models(filter="gguf", sort="downloads", search="tiny")] == ["b/tiny", "a/tiny"]
assert len(list(api.list_models(filter="gguf"))) == 4
info = api.model_info("a/tiny", files_metadata=True)
assert {s.rfilename for s in info.siblings} == {"sub/a-Q4_0.gguf", "README.md"}, info
tree = {f.path: f for f in api.list_repo_tree("a/tiny", recursive=True)}
assert len(tree["sub/a-Q4_0.gguf"].lfs.sha256) == 64 and "sub" in tree
assert [f.path for f in api.get_paths_info("a/tiny", ["README.md", "none"])] == ["README.md"]
assert api.list_repo_refs("a/tiny").branches[0].name == "main"
try:
    hf_hub_download("a/gated", "x.gguf", token=False)
except GatedRepoError:
    pass
else:
    raise AssertionError("not gated")
hf_hub_download("a/gated", "x.gguf", token="right")
try:
    api.model_info("a/none", token="some")
except RepositoryNotFoundError:
    pass
print(open(hf_hub_download("a/tiny", "sub/a-Q4_0.gguf"), "rb").read().decode())
"""


def test_the_hubs_own_client_gets_what_it_expects(tmp_path: Path) -> None:
    with FakeHub(page_size=2) as hub:
        hub.add("a/tiny", {"sub/a-Q4_0.gguf": b"GGUF, they say", "README.md": b"# hi"}, downloads=5)
        hub.add("b/tiny", {"b.gguf": b"x"}, downloads=10)
        hub.add("a/gated", {"x.gguf": b"x"}, gated="auto", tokens=["right"])
        hub.add("a/more", {"x.gguf": b"x"})
        hub.faults.append(Fault("status", path="/api/models$", status=429, headers={"Retry-After": "0"}))
        done = subprocess.run(
            [sys.executable, "-c", _CLIENT],
            env={**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == "GGUF, they say\n"
        assert not [entry for entry in hub.log if entry.origin == "cdn" and "authorization" in entry.headers]
        assert hub.requests("GET", "/cdn/")
