# Every target makes what it needs: all you need is a fresh clone, and a Python that there is a lock for: `make PYTHON=…`
# names one. Else any that starts looks for it (envguard/host/find_python.py). A pyenv shim of an inactive version does not.
STARTS = env -u PYTHONHOME -u PYTHONPATH "$$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1
STARTER = $(shell IFS=:; for python in python3 python; do $(STARTS) && echo "$$python" && exit; done; \
	for folder in $$PATH /usr/local/bin /usr/bin $$HOME/.pyenv/versions/*/bin $$HOME/.local/share/uv/python/*/bin; do \
	for python in "$$folder"/python3 "$$folder"/python3.[0-9] "$$folder"/python3.[0-9][0-9]; do \
	$(STARTS) && echo "$$python" && exit; done; done)
BOOTSTRAP = @$(if $(PYTHON),"$(PYTHON)" -I envguard/host/find_python.py --only,$(if $(STARTER),"$(STARTER)" -I envguard/host/find_python.py,\
	echo "envguard: No Python was found: neither on PATH nor where pyenv and uv keep theirs." >&2; \
	echo "  next: install one (Debian: apt install python3), or name one: make PYTHON=/path/to/python" >&2; exit 3; :))
BIN = .venv/bin

.PHONY: quantize test check bench wheel-test docs format host develop clean

quantize: host
	$(BIN)/envguard run quantize sample:face_landmarker

test: develop check-tools
	$(BIN)/python -I -m pytest --durations=20

check: develop check-tools
	$(BIN)/python -I -m pytest -m "not slow and not network"

.PHONY: check-tools
check-tools: develop
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin envguard
	$(BIN)/mypy --platform win32 envguard
	$(BIN)/lint-imports

# Times the warm paths as ratios, in a store of its own, and counts how often `explain` is right.
bench: develop
	ENVGUARD_HOME=$${ENVGUARD_TEST_HOME:-$(CURDIR)/.test-home} $(BIN)/python -I -u tests/bench.py

# Builds a release, installs it into an empty environment and tries it from another folder; resolves every lock again.
wheel-test: develop
	$(BIN)/python -I tests/support/wheel_smoke.py --all-locks

# Generates the reference from the code, then the site: build/site can be served by any web server.
docs: host
	$(BIN)/python -I tests/support/commands_page.py
	$(BIN)/python -I tests/support/run_schema.py
	$(BIN)/envguard exec docs -- mkdocs build --strict

format: develop
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

host:
	$(BOOTSTRAP) host

develop:
	$(BOOTSTRAP) develop

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build dist
