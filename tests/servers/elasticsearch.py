"""A real Elasticsearch on loopback: its official build for integration tests, fetched with Maven and kept."""

import fcntl
import hashlib
import os
import shutil
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path

from tests.servers.java import java_home
from tests.servers.processes import SECONDS_TO_END, ServerMissing, end, free_port, give, own_folder, start

Version = Literal["8", "9"]
URL_VARIABLE = "PENSTOCK_TEST_ELASTICSEARCH_URL"
"""Points the tests to a running server, which is then used in place of one of our own."""
ARTIFACT = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{release}:zip"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
SECONDS_TO_FETCH, SECONDS_TO_START = 600, 120
SETTINGS = """\
discovery.type: single-node
network.host: 127.0.0.1
http.port: {http}
transport.port: {transport}
path.data: {folder}/data
path.logs: {folder}/logs
cluster.routing.allocation.disk.threshold_enabled: false
node.store.allow_mmap: false
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A release that the tests run on."""

    release: str
    sha256: str
    java: int
    """The oldest Java that runs it."""


BUILDS: dict[Version, Build] = {
    "8": Build(release="8.19.16", sha256="c3d95992e27741b33a8057118379cda8b17cfda9e46ff4ec25e3f5b94fc22b52", java=17),
    "9": Build(release="9.2.0", sha256="bf44938a0490ba2a303d39c9cb64b38963dd08c812ce93e10816e878585bcb6b", java=21),
}


class ElasticsearchServer:
    """One server on a port and a folder of its own, which can be killed and started again on the same data."""

    def __init__(self, home: Path, folder: Path, java: Path, *, https: bool) -> None:
        self._home, self._folder, self._java = home, folder, java
        self._port = free_port()
        self.url = f"{'https' if https else 'http'}://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, settings: str) -> None:
        """Writes the server's settings, those that all test servers have and these."""
        common = SETTINGS.format(http=self._port, transport=free_port(), folder=self._folder)
        (self._home / "config" / "elasticsearch.yml").write_text(common + settings, "utf-8")

    def start(self) -> None:
        """Starts the server and waits until it answers.

        Raises:
            RuntimeError: it ended or did not answer in time; says what it logged last.
        """
        log = self._folder / "out.log"
        also = {
            "ES_JAVA_HOME": str(self._java),
            "ES_JAVA_OPTS": "-Xms1g -Xmx1g",
            "ES_TMPDIR": str(self._folder / "tmp"),
        }
        self._process = start([str(self._home / "bin" / "elasticsearch")], folder=self._folder, log=log, also=also)
        limit = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > limit:
                self.stop()
                output = log.read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(f"Elasticsearch did not start; it said: {output}")
            time.sleep(0.2)

    def kill(self) -> None:
        """Ends it as a power cut would: nothing is written any more."""
        if self._process is not None:
            limit = time.monotonic() + SECONDS_TO_END
            with suppress(ProcessLookupError):  # when the last of the group is gone
                while time.monotonic() < limit:
                    os.killpg(self._process.pid, signal.SIGKILL)
                    self._process.poll()
                    time.sleep(0.02)
            self._process.wait()

    def stop(self) -> None:
        """Ends it politely."""
        if self._process is not None:
            end(self._process)
            self.kill()  # what it left behind

    def keep_secret(self, name: str, value: str) -> None:
        """Puts a setting into the server's key store, before it is started."""
        tool = [str(self._home / "bin" / "elasticsearch-keystore")]
        for words, typed in (([*tool, "create"], ""), ([*tool, "add", "-x", "-f", name], value)):
            if words[1] == "create" and (self._home / "config" / "elasticsearch.keystore").exists():
                continue
            variables = {"PATH": os.environ["PATH"], "ES_JAVA_HOME": str(self._java)}
            subprocess.run(words, input=typed, text=True, env=variables, check=True, capture_output=True, timeout=120)
        give(self._home / "config" / "elasticsearch.keystore")

    def _answers(self) -> bool:
        unchecked = ssl._create_unverified_context()  # asks whether somebody listens, and nothing else
        try:
            with urllib.request.urlopen(f"{self.url}/_cluster/health", timeout=5, context=unchecked) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            return error.code == 401  # up, and wants to know who asks
        except (OSError, ValueError):
            return False


@contextmanager
def running_elasticsearch(
    version: Version,
    *,
    settings: str = "xpack.security.enabled: false\n",
    password: str = "",
    https: bool = False,
    files: Mapping[str, bytes] | None = None,
) -> Iterator[ElasticsearchServer]:
    """A server for as long as the context is open; `password` is that of the user `elastic`, where security is on.

    `files` are put beside its settings, by name.

    Raises:
        ServerMissing: it cannot be had on this machine; says what is missing.
    """
    build = BUILDS[version]
    java = java_home(build.java, version)
    archive = fetched(build)
    with own_folder(f"elasticsearch-{version}") as folder:
        home = _unpacked(archive, folder)
        server = ElasticsearchServer(home, folder, java, https=https)
        (folder / "tmp").mkdir()  # the server may read its folder of temporary files, and must not read its own plugins
        server.configure(settings)
        for name, content in (files or {}).items():
            (home / "config" / name).write_bytes(content)
        if password:
            server.keep_secret("bootstrap.password", password)
        _give_all(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def elasticsearch_server(version: Version = "8") -> Iterator[str]:
    """The address of a server without security, for as long as the context is open.

    Raises:
        ServerMissing: it cannot be had on this machine; says what is missing.
    """
    with running_elasticsearch(version) as server:
        yield server.url


def fetched(build: Build) -> Path:
    """The release's archive in the cache, fetched with Maven when it is not there.

    Raises:
        ServerMissing: it cannot be fetched, or is not the file that was tested with.
    """
    folder = user_cache_path("penstock", appauthor=False) / "test-servers"
    archive = folder / f"elasticsearch-{build.release}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side, and Maven shares its own folder with nobody
        if not archive.exists():
            _fetch(build, archive)
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != build.sha256:
        raise ServerMissing(f"{archive} has the SHA-256 {found}, not {build.sha256}; delete it to fetch it again")
    return archive


def _fetch(build: Build, archive: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ServerMissing(f"no Maven (mvn) to fetch Elasticsearch {build.release}; install it, or set {URL_VARIABLE}")
    with own_folder("maven") as folder:
        artifact = ARTIFACT.format(release=build.release)
        command = [maven, "-B", PLUGIN, f"-DoutputDirectory={folder}", "-Dmdep.stripVersion=false"]
        try:
            subprocess.run(
                [*command, f"-Dartifact={artifact}"], cwd=folder, check=True, capture_output=True, text=True,
                timeout=SECONDS_TO_FETCH,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            output = str(getattr(error, "stdout", "") or "")[-1000:]
            raise ServerMissing(f"Maven could not fetch {artifact}: {error} {output}; or set {URL_VARIABLE}") from error
        beside = archive.with_suffix(f".{os.getpid()}")
        shutil.move(folder / archive.name, beside)
        beside.replace(archive)


def _unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)  # the checksum says that it is the one that was looked at
    home = folder / archive.stem
    for program in (home / "bin").iterdir():
        program.chmod(0o755)
    return home


def _give_all(folder: Path) -> None:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            give(Path(parent) / name)
