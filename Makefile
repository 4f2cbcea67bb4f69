# Everything runs in a virtual environment, made on first use. PYTHON names the interpreter to make
# it with, and VENV its folder: make unit PYTHON=python3.13 VENV=.venv-3.13
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PINS ?=

.PHONY: help demo docs pictures test lint types unit lowest browser format clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     train the article's three stages in short form and write one report"
	@echo "make docs     build the documentation site, with a sample report, and check it"
	@echo "make pictures train what the pictures of README and the notebooks show, and make them anew"
	@echo "make test     lint, types and all tests"
	@echo "make lowest   all tests with the lowest versions that pyproject.toml allows"
	@echo "make browser  bring the browser, and axe-core, that tests of the report's page and the site need"
	@echo "make format   format the code"
	@echo "make clean    remove the environments, caches and the site"

demo: $(VENV)/installed
	$(BIN)/counterfeit reproduce --quick

docs: $(VENV)/installed-docs site/sample/report.html
	find site -mindepth 1 -maxdepth 1 ! -name sample -exec rm -rf {} +
	$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going \
	  --conf-dir docs/sphinx --doctree-dir $(VENV)/doctrees docs site
	SITE=site $(BIN)/python -m pytest --quiet tests/docs
	@echo $(CURDIR)/site/index.html

# Trained anew when the code has changed, in about a minute.
site/sample/report.html: docs/sphinx/sample.py $(shell find src -name "*.py" -o -name "*.toml" -o -name "*.html") | $(VENV)/installed
	$(BIN)/python docs/sphinx/sample.py site/sample

# Some minutes of training; needs the browser.
pictures: $(VENV)/installed
	$(BIN)/python docs/sphinx/pictures.py docs/pictures
	$(BIN)/python docs/sphinx/notebooks.py docs/notebooks/*.ipynb

test: lint types unit

lint: $(VENV)/installed
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/ruff check src tests benchmarks docs

types: $(VENV)/installed
	$(BIN)/mypy

unit: $(VENV)/installed
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Each `>=` of pyproject.toml as `==`, but those of the site.
lowest:
	$(MAKE) unit VENV=.venv-lowest PINS="$$(sed '/^docs = /d' pyproject.toml | grep -oE '"[A-Za-z0-9_-]+>=[0-9.]+"' | \
	  sed 's/"//g; s/>=/==/' | sort -u | tr '\n' ' ')"

# The machine's own; or Playwright's where it can be fetched, with the libraries it needs where we may
# install them; or Debian's.
browser: $(VENV)/installed
	command -v chromium || \
	  $(BIN)/python -m playwright install $$([ $$(id -u) != 0 ] || echo --with-deps) chromium || \
	  { apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends chromium fonts-liberation; }
	npm install --silent --no-fund --no-audit --no-save --no-package-lock --fetch-retries=5 \
	  axe-core@4.14.1 || \
	  echo "Without npm no test looks for what keeps people from reading the page."
	$(BIN)/python -c "from counterfeit.exports.explorer.runtime import fetched; fetched()" || \
	  echo "Without ONNX Runtime Web no test opens the explorer."

format: $(VENV)/installed
	$(BIN)/ruff format src tests benchmarks docs
	$(BIN)/ruff check --fix src tests benchmarks docs

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PINS) -e ".[dev]"
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[docs]"
	touch $@

clean:
	rm -rf site node_modules .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis
