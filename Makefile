# The two commands of the README are `make run` and `make test`; both set up all they need.
#   make run [PORT=8000] [DATA_DIR=./data] [ARGS=--no-demo]

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && { echo $$p; break; }; done)
PORT ?= 8000
BIN := .venv/bin
TYPESCRIPT := tests/apis/typescript
# Some images of containers forbid to keep compiled modules, which makes every start of a process twice as long.
unexport PYTHONDONTWRITEBYTECODE
UV := PYTHONPATH=.tools UV_PYTHON_DOWNLOADS=never $(PYTHON) -m uv

.PHONY: run test coverage setup setup-dev lint format environment settings-reference reference docs schema messages bench lock release clean

run: setup
	@exec env PORT=$(PORT) $(if $(DATA_DIR),DATA_DIR="$(DATA_DIR)") $(BIN)/python manage.py serve --port $(PORT) $(ARGS)

test: setup-dev
	@$(BIN)/python -m tests $(ARGS)

# What the tests run through: by subject in docs/coverage.md (of a part of them, beside the lines), line by line in
# test-results/coverage. Nothing enforces it.
coverage: setup-dev
	@rm -rf test-results/coverage && mkdir -p test-results/coverage
	$(BIN)/coverage run -m tests $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet --directory test-results/coverage
	$(BIN)/coverage json --quiet -o test-results/coverage/coverage.json
	$(BIN)/python -m tests.coverage_table < test-results/coverage/coverage.json \
		> $(if $(ARGS),test-results/coverage/coverage.md,docs/coverage.md)

# Nothing to do while the installed set is that of the lock; the development set holds all of the other.
setup:
	@cmp -s requirements.lock .venv/installed.lock || cmp -s requirements-dev.lock .venv/installed.lock \
		|| $(MAKE) --no-print-directory install LOCK=requirements.lock

setup-dev:
	@cmp -s requirements-dev.lock .venv/installed.lock \
		|| $(MAKE) --no-print-directory install LOCK=requirements-dev.lock
	@$(MAKE) --no-print-directory setup-typescript

# For one test, which is skipped where this cannot be.
.PHONY: setup-typescript
setup-typescript:
	@! command -v npm >/dev/null || cmp -s $(TYPESCRIPT)/package-lock.json .tools/typescript/installed.lock || { \
		mkdir -p .tools/typescript && cp $(TYPESCRIPT)/package*.json .tools/typescript/ \
		&& (cd .tools/typescript && npm ci --silent --ignore-scripts --no-audit --no-fund --fetch-retries=0) \
		&& cp .tools/typescript/package-lock.json .tools/typescript/installed.lock \
		|| echo "The generator of TypeScript's types could not be installed: its test is skipped."; }

.PHONY: install
install:
	@test -n "$(PYTHON)" || { echo "Patchbay needs Python 3.11 or newer."; exit 1; }
	@test -d .tools/uv || { echo "Getting the installer …"; $(PYTHON) -m pip install --quiet --disable-pip-version-check \
		--root-user-action=ignore --require-hashes --target .tools -r requirements-tools.lock \
		|| { echo "pip is missing: install it (Debian: apt-get install python3-pip) and try again."; rm -rf .tools; exit 1; }; }
	@echo "Installing $(LOCK) into .venv …"
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --require-hashes --python $(BIN)/python $(LOCK) \
		|| { echo "Once more with pip, which is slower but knows this machine's own settings …"; \
		$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --require-hashes -r $(LOCK); }
	@cp $(LOCK) .venv/installed.lock

# One of them takes as long as all others together, so they run beside one another; each says its lines in one piece.
CHECKS := mypy openapi migrations system lint-imports ruff-check ruff-format
lint: setup-dev
	@$(MAKE) --no-print-directory --output-sync=target --keep-going --jobs=2 $(CHECKS:%=check-%)

.PHONY: $(CHECKS:%=check-%)
check-mypy:
	$(BIN)/mypy
check-openapi:
	@mkdir -p test-results
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file test-results/openapi.yaml
	diff -u docs/openapi.yaml test-results/openapi.yaml \
		|| { echo "docs/openapi.yaml is not up to date: make schema"; exit 1; }
check-migrations:
	$(BIN)/python manage.py makemigrations --check --dry-run
check-system:
	$(BIN)/python manage.py check --fail-level WARNING
check-lint-imports:
	$(BIN)/lint-imports
check-ruff-check:
	$(BIN)/ruff check .
check-ruff-format:
	$(BIN)/ruff format --check .

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

environment: setup-dev
	$(BIN)/python -m tests.environment_reference

settings-reference: setup-dev
	$(BIN)/python -m tests.settings_reference

reference: setup-dev
	$(BIN)/python -m tests.reference

# The documentation site in docs/_site: open its index.html. The admin shows the same chapters by itself.
docs: setup-dev
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html docs docs/_site

schema: setup-dev
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

# Texts of the self-service portal for its translators, who fill in what is empty; needs gettext.
UNSPOKEN = .venv tests/* stubs/* templates/admin/* templates/unfold/* templates/contacts_app/* config/*
messages: setup-dev
	$(BIN)/python manage.py makemessages --all --no-location --no-wrap --no-obsolete $(UNSPOKEN:%=--ignore '%')
	cd profiles_app/myaccount && ../../$(BIN)/django-admin compilemessages

# Spoilt answers of servers and phones, and hostile bodies: many more than `make test` takes.
.PHONY: fuzz
fuzz: setup-dev
	FUZZ_ANSWERS=$(or $(ANSWERS),60000) FUZZ_BODIES=$(or $(BODIES),10000) FUZZ_SEED=$(or $(SEED),1) \
		$(BIN)/python -m pytest tests/fuzz -q -s -n 2 --dist worksteal

# Processes of a whole installation are killed and stopped at random: `make kills ROUNDS=200 SEED=7`.
.PHONY: kills
kills: setup-dev
	$(BIN)/python -m tests.kills --rounds $(or $(ROUNDS),1000) --stops $(or $(STOPS),$(shell expr $(or $(ROUNDS),1000) / 10)) \
		$(if $(SEED),--seed $(SEED))

# All benchmarks, at most 75 minutes, or some: `make bench ARGS="boot push"`. Writes docs/benchmarks.md and benchmarks.json.
bench: setup-dev
	$(BIN)/python -m tests.bench $(ARGS)

# Pin everything anew. No index address goes into the locks.
lock: setup-dev
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--no-emit-index-url --no-emit-find-links -c requirements.lock --group dev pyproject.toml -o requirements-dev.lock
	cd $(TYPESCRIPT) && rm -f package-lock.json && npm install --silent --package-lock-only --omit-lockfile-registry-resolved

# Version, changelog, commit, tag and the files of a release (docs/releasing.md): make release VERSION=0.2.0
release: setup-dev
	@$(BIN)/python .ci/release.py "$(VERSION)"

clean:
	rm -rf .venv .tools test-results docs/_site
