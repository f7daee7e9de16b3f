"""The fake Hub's addresses: search, model info, tree, paths, branches, who-am-i, files, and its control from outside."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.support.fake_hub_body import Body
from tests.support.fake_hub_faults import Fault, Request
from tests.support.fake_hub_files import HubRepo
from tests.support.fake_hub_search import found

_REPO = r"([^/]+/[^/]+)"


class Handler(Body):
    """Answers one connection. ``origin`` tells the Hub's own port from the CDN's."""

    protocol_version = "HTTP/1.1"
    server_version = "FakeHub/1"
    sys_version = ""
    origin = "api"
    path_only = ""
    query: dict[str, list[str]]
    body = b""

    def log_message(self, *_: object) -> None:
        pass

    def setup(self) -> None:
        super().setup()
        self.hub.connections.add(self.connection)

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True  # the peer went away, or this side reset the connection

    def finish(self) -> None:
        self.hub.connections.discard(self.connection)
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def _serve(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        self.path_only, self.query = unquote(address.path), parse_qs(address.query)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.request_log = Request(
            "cdn" if self.origin == "cdn" else "api",
            self.command,
            self.path_only,
            address.query,
            headers,
            time.time(),
        )
        if self.path_only.startswith("/_"):
            return self._control()
        self.hub.log.append(self.request_log)
        self.fault = self.hub.take_fault(self.command, self.path_only, has_range="range" in headers)
        if not self._strikes_at_once():
            self._route()
        return None

    do_HEAD = do_GET = do_POST = _serve  # noqa: N815 -- names of the base class

    def _strikes_at_once(self) -> bool:
        fault = self.fault
        if fault is None:
            return False
        if fault.kind == "status":
            self.send_json({"error": f"injected {fault.status}"}, fault.status, fault.headers)
        elif fault.kind == "html":
            self.answer(200, {"Content-Type": "text/html", "Content-Length": "15"})
            self.wfile.write(b"<html>no</html>" if self.command != "HEAD" else b"")
        elif fault.kind == "hang":
            self.hub.sleep(fault.seconds)
            self.close_connection = True
        elif fault.kind == "loop":
            self.answer(302, {"Location": self.path, "Content-Length": "0"})
        elif fault.kind == "reset" and fault.after == 0:
            self.reset()
        else:
            return False
        return True

    def send_json(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:  # noqa: ANN401 -- JSON
        data = json.dumps(value).encode()
        plain = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        self.answer(status, {**plain, **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(data)

    def _refuse(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        known = {"X-Error-Code": code, "X-Error-Message": message, **(headers or {})}
        self.send_json({"error": message}, status, {k: v for k, v in known.items() if v})

    def _control(self) -> None:
        if self.path_only == "/_fault":
            self.hub.faults.append(Fault(**json.loads(self.body)))
        elif self.path_only == "/_reset":
            self.hub.faults.clear()
            self.hub.log.clear()
        elif self.path_only == "/_log":
            return self.send_json([dataclasses.asdict(entry) for entry in self.hub.log])
        return self.send_json({"ok": True})

    @property
    def token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ").strip()

    def _repo(self, name: str) -> HubRepo | None:
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and self.token not in repo.tokens):
            self._refuse(404 if self.token else 401, "RepoNotFound", "Repository not found")
            return None
        return repo

    def _commit(self, repo: HubRepo, revision: str) -> str | None:
        commit = repo.commit_of(revision)
        if commit is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def _route(self) -> None:
        if self.token and self.hub.known_tokens is not None and self.token not in self.hub.known_tokens:
            return self._refuse(401, "", "Invalid credentials in Authorization header")
        if self.origin == "cdn":
            return self._cdn()
        routes: tuple[tuple[str, Callable[..., None]], ...] = (
            (r"/api/models", self._search),
            (r"/api/whoami-v2", self._who),
            (rf"/api/models/{_REPO}/tree/([^/]+)(?:/(.*))?", self._tree),
            (rf"/api/models/{_REPO}/paths-info/([^/]+)", self._paths),
            (rf"/api/models/{_REPO}/refs", self._refs),
            (rf"/api/models/{_REPO}(?:/revision/(.+))?", self._info),
            (rf"/{_REPO}/(?:resolve|raw)/([^/]+)/(.+)", self._resolve),
        )
        for pattern, route in routes:
            if match := re.fullmatch(pattern, self.path_only):
                return None if self._moved(match) else route(*match.groups())
        return self.send_json({"error": "Not found"}, 404)

    def _moved(self, match: re.Match[str]) -> bool:
        new = self.hub.moved.get(match[1]) if match.re.groups else None
        if new:
            address = self.path.replace(quote(match[1]), quote(new), 1)
            self.answer(307, {"Location": address, "Content-Length": "0"})
        return bool(new)

    def _search(self) -> None:
        repos = found(self.hub.repos.values(), self.query)
        limit, cursor = int(self.query.get("limit", ["1000"])[0]), int(self.query.get("cursor", ["0"])[0])
        page = repos[cursor : cursor + min(limit, self.hub.page_size)]
        expand = self.query.get("expand", [])
        described = [repo.info(expand=expand) for repo in page]
        if not expand and not {"full", "filter"} & set(self.query):
            for item in described:
                del item["siblings"], item["sha"], item["lastModified"]
        self.send_json(described, headers=self._next(cursor + len(page), len(repos)))

    def _next(self, cursor: int, total: int) -> dict[str, str]:
        if cursor >= total:
            return {}
        base = re.sub(r"(?<=[?&])cursor=\d+&?", "", self.path).rstrip("?&")
        return {"Link": f'<{self.hub.url}{base}{"&" if "?" in base else "?"}cursor={cursor}>; rel="next"'}

    def _who(self) -> None:
        if not self.token:
            return self._refuse(401, "", "Invalid username or password.")
        auth = {"accessToken": {"displayName": "test", "role": "read"}}
        return self.send_json({"type": "user", "name": "tester", "auth": auth})

    def _tree(self, name: str, revision: str, folder: str | None) -> None:
        repo = self._repo(name)
        if repo is None or self._commit(repo, revision) is None:
            return None
        recursive = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        entries = repo.tree(folder or "", recursive=recursive)
        if folder and not entries:
            return self._refuse(404, "EntryNotFound", f"{folder} does not exist on {revision}")
        cursor = int(self.query.get("cursor", ["0"])[0])
        page = entries[cursor : cursor + self.hub.page_size]
        links = self._next(cursor + len(page), len(entries))
        return self.send_json(page, headers={"X-Repo-Commit": repo.sha, **links})

    def _paths(self, name: str, revision: str) -> None:
        repo = self._repo(name)
        if repo is not None and self._commit(repo, revision) is not None:
            wanted = parse_qs(self.body.decode()).get("paths", [])
            self.send_json([repo.files[path].entry(path) for path in wanted if path in repo.files])

    def _refs(self, name: str) -> None:
        repo = self._repo(name)
        if repo is not None:
            branches = [
                {"name": branch, "ref": f"refs/heads/{branch}", "targetCommit": commit}
                for branch, commit in repo.refs.items()
            ]
            self.send_json({"branches": branches, "tags": [], "converts": []})

    def _info(self, name: str, revision: str | None) -> None:
        repo = self._repo(name)
        if repo is not None and self._commit(repo, revision or "main") is not None:
            self.send_json(repo.info(blobs="blobs" in self.query, expand=self.query.get("expand", ())))

    def _resolve(self, name: str, revision: str, path: str) -> None:
        repo = self._repo(name)
        commit = self._commit(repo, revision) if repo else None
        if repo is None or commit is None:
            return None
        if repo.gated and self.token not in repo.tokens:
            message = f"Access to model {repo.id} is restricted."
            return self._refuse(403 if self.token else 401, "GatedRepo", message)
        file = repo.files.get(path)
        if file is None:
            return self._refuse(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes", "ETag": f'"{file.etag}"'}
        if file.lfs:
            size = file.size + (1000 if self.kind == "wrong_size" else 0)
            digest = "0" * 64 if self.kind == "wrong_hash" else file.sha256
            headers |= {"X-Linked-Size": str(size), "X-Linked-ETag": f'"{digest}"'}
        missing = {"no_commit": {"X-Repo-Commit"}, "no_etag": {"ETag", "X-Linked-ETag"}}.get(self.kind, set())
        headers = {key: value for key, value in headers.items() if key not in missing}
        if file.lfs and self.hub.redirect:
            location = self.hub.signed(f"/cdn/{file.sha256}/{quote(path.rpartition('/')[2])}")
            return self.answer(302, {**headers, "Location": location, "Content-Length": "0"})
        return self.send_file(file, headers)

    def _cdn(self) -> None:
        match = re.fullmatch(r"/cdn/([0-9a-f]{64})/.+", self.path_only)
        files = [file for repo in self.hub.repos.values() for file in repo.files.values() if file.lfs]
        file = next((file for file in files if match and file.sha256 == match[1]), None)
        if file is None:
            return self.send_json({"error": "no such object"}, 404)
        if self.query.get("Signature", [""])[0] not in self.hub.signatures:
            return self.send_json({"error": "the signature has expired"}, 403)
        return self.send_file(file, {"ETag": f'"{file.sha256}"', "Accept-Ranges": "bytes"})
