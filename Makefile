# Everything runs in a virtual environment in .venv, made on first use.
# PYTHON names the interpreter to make it with.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test lint types unit format clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    train the article's three stages in short form and write one report"
	@echo "make test    lint, types and all tests"
	@echo "make format  format the code"
	@echo "make clean   remove the environment and caches"

demo: .venv/installed
	$(BIN)/counterfeit reproduce --quick

test: lint types unit

lint: .venv/installed
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks

types: .venv/installed
	$(BIN)/mypy

unit: .venv/installed
	$(BIN)/python -m pytest -n 2

format: .venv/installed
	$(BIN)/ruff format src tests benchmarks
	$(BIN)/ruff check --fix src tests benchmarks

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
