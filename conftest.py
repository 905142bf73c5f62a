"""Fixtures that all tests share: one instance of the platform and one database server.

Also marks each test with the resources that it needs.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from playwright.sync_api import Browser

from meterai.apps.web import let_the_loop_in, spare_the_collector
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.db.migrations import migrate
from tests.support import loopback, queries
from tests.support.browser import CHROMIUM, launched
from tests.support.instance import Instance
from tests.support.runs import Run, folder_in_memory, select
from tests.support.shop import Shop, open_shop
from tests.support.side_by_side import WholeFiles
from tests.support.till import Till, open_till

# The same examples in every run, and no time limit that a busy machine would break.
settings.register_profile("ours", deadline=None, derandomize=True)
settings.register_profile("all", deadline=None, max_examples=500, print_blob=True)

# Processes that tests start use compiled files, also if pytest was started without make.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

loopback.watch()
queries.hold()

# Settings that protect against a power failure, which the tests of this server never simulate.
UNSAFE = ("fsync", "full_page_writes", "synchronous_commit")
CORPUS = Path(__file__).parents[1] / "shared" / "corpus"


# The fixtures of a test, or the imports of its module, show what it needs.
NEEDS = {
    "instance": ({"instance", "inside", "fragile"}, {"tests.support.instance.Instance"}),
    "database": (
        {"server"},
        {"meterai.plumbing.db.embedded.EmbeddedPostgres", "tests.support.servers.Server"},
    ),
    "browser": ({"chromium"}, {"tests.support.browser.launched"}),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options for the selection of tests; `make test-all` and `make proof` use them."""
    parser.addoption(
        "--all",
        action="store_true",
        help=("run variants and soaks too, and each case of each family"),
    )
    parser.addoption(
        "--seed", type=int, help=("seed of the sampled cases; the default is that of the commit")
    )
    parser.addoption("--room", help="the tests of this room, and of those that import it")
    parser.addoption(
        "--whole-corpus", action="store_true", help="every file of the corpus, not a sample"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Prepare a run before pytest makes its base folder, whose path the worker processes inherit."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Run(config))
    settings.load_profile("all" if config.option.all else "ours")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeFiles | None:
    """Files stay whole, and the run also ends if a test ends its process."""
    return WholeFiles(config, log) if config.getoption("dist") == "loadfile" else None


OF_SHARED: set[Path] = set()  # files with a test that needs the shared instance
SHARED: list[Instance] = []  # the shared instance of this process, if it was started


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests that need an instance, a database or a browser, and deselect those that were not requested.

    Files that need the shared instance come first, then those that start their own, then those with a database.
    The longest come first, so that no process begins a long file while the others are idle.
    """
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        imported = {
            f"{getattr(value, '__module__', '')}.{name}"
            for name, value in vars(item.module).items()
        }
        for marker, (fixtures, starters) in NEEDS.items():
            if fixtures & set(item.fixturenames) or starters & imported:
                item.add_marker(marker)
    select(config, items)
    of_instances, of_databases = (
        {item.path for item in items if item.get_closest_marker(need)}
        for need in ("instance", "database")
    )
    OF_SHARED.update(
        item.path
        for item in items
        if isinstance(item, pytest.Function) and "instance" in item.fixturenames
    )
    longest = (OF_SHARED, of_instances, of_databases)
    items.sort(key=lambda item: [item.path not in those for those in longest])


def pytest_collection_finish() -> None:
    """Freeze the collected tests: millions of objects, in which each run of the garbage collector would look.

    The applications that tests make in this process run with the settings of a web process.
    """
    spare_the_collector()
    let_the_loop_in()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Stop the shared instance after the last file that needs it.

    An idle instance costs a twentieth of a processor.
    """
    if nextitem is not None and nextitem.path not in OF_SHARED:
        for running in SHARED:
            running.stop()


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running instance (`meterai up`), shared by the tests that do not break it."""
    with Instance(tmp_path_factory.mktemp("instance")) as running:
        SHARED.append(running)
        yield running


@pytest.fixture
def audited(instance: Instance) -> Iterator[Instance]:
    """The shared instance. After the test every invariant must hold."""
    yield instance
    instance.assert_audit_holds()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one module, since no other event loop can run beside its own."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed on this machine")
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server; the URL of its maintenance database."""
    with folder_in_memory() as memory:
        embedded = EmbeddedPostgres(memory or tmp_path_factory.mktemp("server"))
        try:
            url = embedded.start()
            with psycopg.connect(url, autocommit=True) as connection:
                for name in UNSAFE:
                    connection.execute(f"ALTER SYSTEM SET {name} = off".encode())
                connection.execute("SELECT pg_reload_conf()")
            yield url
        finally:
            embedded.stop()


@pytest.fixture(scope="session")
def template(server: str) -> str:
    """The name of a migrated database, to be copied."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_of_tests TEMPLATE template0")
    migrate(server.replace("/postgres?", "/template_of_tests?"))
    return "template_of_tests"


@pytest.fixture
def database_url(server: str, template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own for one test, built by the migrations."""
    name = f"test_{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    """An account and a worker's event handlers, without bank and mails."""
    with open_shop(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def open_one(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Till]:
    """A till that the tests of a module share, with a database of its own."""
    folder = tmp_path_factory.mktemp("till")
    name = f"test_{folder.name}_{abs(hash(folder)):x}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with open_till(server.replace("/postgres?", f"/{name}?"), folder) as opened:
        yield opened
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def till(open_one: Till) -> Iterator[Till]:
    """An account without orders and a bank without faults; afterwards every invariant holds."""
    open_one.clear()
    yield open_one
    open_one.assert_books_hold()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real PDFs from elsewhere, in a folder beside the checkout. Skips if it is missing."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus ../shared/corpus is missing")
    return CORPUS
