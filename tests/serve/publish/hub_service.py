"""A stub of Hugging Face's service on this machine: repositories, commits, files.

Requests are those that huggingface_hub's own client sends: create, preupload, LFS,
commit, resolve (huggingface.co/docs/hub/api).
"""

import base64
import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKEN = "hf_stub"


class Service:
    """What the stub holds: revisions of repositories, and what it was asked."""

    def __init__(self):
        self.commits = {}  # (kind, repo) -> [(commit, {name: bytes})]
        self.blobs = {}  # sha256 -> bytes
        self.asked = []
        self.refuse = None  # status for all that writes

    def files(self, repo, kind="model", revision="main"):
        commits = self.commits[kind, repo]
        if revision == "main":
            return commits[-1]
        return next((c for c in commits if c[0] == revision), None)

    def commit(self, kind, repo, lines):
        name, files = self.files(repo, kind)
        files = dict(files)
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.blobs[value["oid"]]
        text = name + json.dumps({n: _digest(c) for n, c in sorted(files.items())})
        commit = hashlib.sha1(text.encode()).hexdigest()
        self.commits[kind, repo].append((commit, files))
        return commit


def _digest(content):
    return hashlib.sha256(content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    @property
    def service(self):
        return self.server.service

    def answer(self, status, content=b"", **headers):
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_POST(self):
        path = urlsplit(self.path).path
        body = self.body()
        self.service.asked.append(("POST", path, body))
        if self.service.refuse:
            return self.answer(self.service.refuse, {"error": "no"})
        if path == "/api/repos/create":
            asked = json.loads(body)
            kind = asked.get("type") or "model"
            repo = f"{asked['organization']}/{asked['name']}"
            self.service.commits.setdefault((kind, repo), [("0" * 40, {})])
            prefix = "spaces/" if kind == "space" else ""
            return self.answer(200, {"url": f"{self.server.address}/{prefix}{repo}"})
        if path.endswith("/info/lfs/objects/batch"):
            objects = [
                {
                    "oid": each["oid"],
                    "size": each["size"],
                    "actions": {
                        "upload": {"href": f"{self.server.address}/put/{each['oid']}"}
                    },
                }
                for each in json.loads(body)["objects"]
            ]
            content = {"transfer": "basic", "objects": objects}
            return self.answer(200, content)
        if path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        kind, repo, what = self.parts(path)
        if what == "preupload":
            modes = [
                {
                    "path": each["path"],
                    "uploadMode": "lfs"
                    if each["path"].endswith((".keras", ".npz", ".onnx"))
                    else "regular",
                    "shouldIgnore": False,
                }
                for each in json.loads(body)["files"]
            ]
            return self.answer(200, {"files": modes})
        lines = [json.loads(line) for line in body.splitlines() if line]
        commit = self.service.commit(kind, repo, lines)
        url = f"{self.server.address}/{repo}/commit/{commit}"
        return self.answer(200, {"commitUrl": url, "commitOid": commit})

    def do_PUT(self):
        content = self.body()
        oid = self.path.rpartition("/")[2]
        self.service.asked.append(("PUT", self.path, content))
        if _digest(content) != oid:
            return self.answer(400)
        self.service.blobs[oid] = content
        return self.answer(200)

    def parts(self, path):
        _, _, kinds, owner, name, what, *_ = path.split("/")
        return kinds.removesuffix("s"), f"{owner}/{name}", what

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.service.asked.append((self.command, path, b""))
        if "/resolve/" not in path:  # facts of a repository
            if not path.startswith(("/api/models/", "/api/spaces/")):
                return self.answer(404)
            kind, repo, _ = self.parts(path + "/info")
            if (kind, repo) not in self.service.commits:
                return self.answer(404, X_Error_Code="RepoNotFound")
            commit, files = self.service.files(repo, kind)
            siblings = [{"rfilename": name} for name in files]
            return self.answer(
                200, {"id": repo, "sha": commit, "siblings": siblings, "private": False}
            )
        repo, _, rest = path[1:].partition("/resolve/")
        revision, _, name = rest.partition("/")
        if ("model", repo) not in self.service.commits:
            return self.answer(404, X_Error_Code="RepoNotFound")
        state = self.service.files(repo, "model", revision)
        if state is None:
            return self.answer(404, X_Error_Code="RevisionNotFound")
        commit, files = state
        if name not in files:
            return self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
        content = files[name]
        etag = f'"{_digest(content)}"'
        return self.answer(200, content, ETag=etag, X_Repo_Commit=commit)

    do_HEAD = do_GET


@contextlib.contextmanager
def serve():
    """Serve on this machine; yield the service, whose `address` is its endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.service = Service()
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    server.service.address = server.address
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.service
    finally:
        server.shutdown()
        server.server_close()
