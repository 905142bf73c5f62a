# Everything starts here.  Only python3 (3.11 or newer) is assumed.
#
#   make run    set up and run everything on this machine   (ARGS="--port 8001 --data DIR")
#   make test   set up and run the tests that must pass before a change lands   (ARGS="--seed 7"); with ROOM=refunds those of
#               a room and of the rooms that import it, without instance and browser
#   make test-all  every test: variants, soaks, each case of each family, longer fuzzing
#   make check  format, lint, types, layers, and the site
#   make quick  the same, and the tests of some folders, in a minute
#   make bench  measure, beside a limit measured in the same run; and three hundred files checked at once
#   make bench-sealing   the sealing engine, beside pyHanko and the physical limit
#   make bench-journey   the waits of a person on a poor connection, from home to the stamped document
#   make bench-journey-cost   processor time of a journey, by API and by browser
#   make bench-rush   overload a running instance, and count the served requests; and a hundred thousand in line
#   make bench-money  a million lines of a record, payments, two days without a provider
#               (RECORD_LINES=200000 ORDERS=20 REFUNDS=100 for less)
#   make bench-recovery  20,000 paid orders and 5,000 interrupted stampings served by the way back; the cost of a watch;
#               ten faults, and when the public sees each
#   make bench-desk   search and pages of staff at a million orders, two hundred complaints, a flood of ten thousand
#   make bench-distribution  batches, checks of many, webhooks, statements, wholesale orders, each beside a peer or a limit
#   make rehearse  a rush of visitors on an installation of its own  (ARGS="cpns_2024")
#   make rehearse-night  four rushes one after the other, and one report of them  (OUT=DIR)
#   make sbom   the bill of materials, as CycloneDX: build/sbom.json
#   make licences  fails if a licence is not allowed (scripts/licences.toml)
#   make audit-dependencies  known vulnerabilities; ends with 75 if some packages could not be looked up
#   make golden  everything a user can see, compared with another commit  (BASE=COMMIT)
#   make conformance  the SDKs of providers, each in an environment of its own, against the stand-ins
#   make rehearsal-wheel  the wheel of rehearse, plan and assess: build/meterai_rehearsal-*.whl
#   make site   the site for integrators: site/build
#   make client  the wheel of the Python client: build/meterai_client-*.whl
#   make proof  seal every PDF of the corpus and check it with other programs  (ARGS="FOLDER ...")

BIN := .venv/bin
READY := .venv/.ready

# Without compiled files beside the sources each process compiles all loaded modules anew, which takes
# half of its start; some environments set this variable.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run setup test test-all check quick bench bench-sealing bench-journey bench-journey-cost bench-rush bench-desk bench-money bench-recovery bench-distribution rehearse rehearse-night golden conformance proof schema format lock sbom licences audit-dependencies wheel client rehearsal-wheel site clean tools

run: setup
	@exec $(BIN)/meterai up $(ARGS)

setup: $(READY)

$(READY): requirements-dev.lock pyproject.toml rehearsal/pyproject.toml scripts/setup
	@scripts/setup

# As many at once as there are processors.  Tests of one file stay together and share an instance;
# conftest.py orders the files.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile

# docs/decisions/0041-suite.md explains the selection.
test: setup tools
	$(BIN)/python -m pytest $(if $(ROOM),--room $(ROOM),$(SIDE_BY_SIDE)) $(ARGS)

test-all: setup tools
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --all --whole-corpus $(ARGS)

# Programs of the system that some tests need; a missing one is reported.
tools:
	@scripts/browser
	@scripts/pdftools
	@scripts/softhsm
	@scripts/servers
	@scripts/typescript

check: setup site
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A minute: the checks, and the tests that need neither an instance nor a database nor a browser and start no process.
quick: check
	$(BIN)/python -m pytest -q $(SIDE_BY_SIDE) -m "not instance and not database and not browser" $(ARGS)

bench: setup
	$(BIN)/python -m bench $(ARGS)
	$(BIN)/python -m bench.many $(ARGS)

bench-sealing: setup
	$(BIN)/python -m bench.sealing $(ARGS)

bench-journey: setup
	$(BIN)/python -m bench.journey $(ARGS)

bench-journey-cost: setup
	$(BIN)/python -m bench.journey_cost $(ARGS)

bench-rush: setup
	$(BIN)/python -m bench.rush $(ARGS)
	$(BIN)/python -m bench.waiting $(ARGS)

bench-desk: setup
	$(BIN)/python -m bench.desk $(ARGS)

bench-money: setup
	$(BIN)/python -m bench.money.reconciling $(RECORD_LINES)
	$(BIN)/python -m bench.money.paying $(ORDERS)
	$(BIN)/python -m bench.money.dead_provider $(REFUNDS) 2>/dev/null

bench-recovery: setup
	$(BIN)/python -m bench.recovery $(ARGS)

bench-distribution: setup
	$(BIN)/python -m bench.distribution.batch
	$(BIN)/python -m bench.distribution.checks
	$(BIN)/python -m bench.distribution.order
	$(BIN)/python -m bench.distribution.statement
	$(BIN)/python -m bench.distribution.webhooks 2>/dev/null

rehearse: setup
	$(BIN)/meterai rehearse --up $(or $(ARGS),small)

# The plans by name or file; the night of a nation is computed from the run MEASURED.  A journey by API is not
# rehearsed: pass the result of make bench-journey-cost as NIGHT="... --journey-ms api=30".
OUT := build/night
PLANS := deadline_20x cpns_2024 cowin_opening strangers
MEASURED := cpns_2024
NIGHT := --applicants 4000000 --hours 8
LANGUAGE := en

# Each in an installation of its own; a broken or void run does not stop the next.  Ends with 0 if every
# promise of every run held and none was void.
rehearse-night: setup
	@mkdir -p "$(OUT)"; status=0; runs=; plan="$(OUT)/plan.json"; measured="$(OUT)/$(MEASURED).json"; \
	rm -f "$$plan" "$$measured"; trap 'kill $$pid; wait $$pid; exit 130' INT TERM; \
	for one in $(PLANS); do \
		run="$(OUT)/$$(basename "$$one" .toml).json"; rm -f "$$run"; \
		$(BIN)/meterai rehearse "$$one" --up --out "$$run" --lang $(LANGUAGE) & pid=$$!; \
		wait $$pid || status=1; \
		if [ -f "$$run" ]; then runs="$$runs $$run"; fi; \
	done; \
	if [ -f "$$measured" ] && $(BIN)/meterai plan --measured "$$measured" $(NIGHT) --json > "$$plan"; \
	then plan="--plan $$plan"; else plan=; fi; \
	$(BIN)/meterai assess $$runs $$plan --out "$(OUT)" --lang $(LANGUAGE) || status=1; \
	exit $$status

golden: setup
	$(BIN)/python -m scripts.golden $(BASE)

conformance: setup
	@scripts/conformance
	$(BIN)/python -m pytest -q tests/conformance $(ARGS)

proof: setup tools
	$(BIN)/python -m pytest -q tests/sealing/test_corpus.py --whole-corpus
	$(BIN)/python -m scripts.proof $(ARGS)

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# After a new migration: the file with which the audit compares the database.
schema: setup
	$(BIN)/python -m scripts.schema

# After a change of dependencies in pyproject.toml.  No addresses get into the locks.  Production installs
# the first; the second has the same versions and those of development; the third makes the wheel.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header

lock: setup
	$(COMPILE) pyproject.toml --extra pkcs11 -o requirements.lock
	$(COMPILE) pyproject.toml rehearsal/pyproject.toml --extra pkcs11 --group dev --no-emit-package meterai -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --group build -c requirements-dev.lock -o requirements-build.lock

sbom licences: setup
	$(BIN)/python -m scripts.dependencies $@

audit-dependencies: setup
	@$(BIN)/python -m scripts.dependencies audit; status=$$?; \
	if [ $$status != 0 ]; then echo "status $$status: scripts/dependencies.py says what it means" >&2; fi; exit $$status

# Installed by production beside requirements.lock, and made from the same lock.
wheel:
	python3 -m venv build/wheel
	build/wheel/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	build/wheel/bin/hatchling build -t wheel -d build

# `meterai rehearse`, `plan` and `assess`, for an installation elsewhere: rehearsal/README.md.
rehearsal-wheel: setup
	cd rehearsal && ../$(BIN)/hatchling build -t wheel -d ../build

# The site for integrators, in site/build; strict: a broken link fails it.
site: setup
	cd site && ../$(BIN)/zensical build --clean --strict

# The client that integrators install: clients/python, with its own version.
client: setup
	cd clients/python && ../../$(BIN)/hatchling build -t wheel -d ../../build

clean:
	rm -rf .venv build data .mypy_cache .ruff_cache .pytest_cache .hypothesis
