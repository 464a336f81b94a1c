# `make benchmark` and `make test` are all that is needed; both set up their own .venv first.

# Data is looked for in $UDA_DATA (data where it is not set), run folders go to $UDA_RUNS (runs where it is not set).

PYTHON ?= python3
RESULTS ?= results
RUNS := $(or $(UDA_RUNS),runs)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PAIRS := $(patsubst benchmarks/%.toml,%,$(wildcard benchmarks/*.toml))
DEFAULT_PAIR := rendered-optdigits
DIGITS := svhn-mnist mnist-usps usps-mnist mnist-mnistm mnist-svhn syndigits-svhn svhn-extra-mnist

OWN_LENGTH := $(DIGITS:%=unit-%) gpu-mnist-mnistm

HISTORY := $(RESULTS)/validator-history.csv
METHODS_HISTORY := $(RESULTS)/methods-history.csv
SETTINGS_HISTORY := $(RESULTS)/settings-history.csv

.PHONY: help setup lint format test benchmark choose tables ablations validators speed speed-gpu clean $(PAIRS:%=benchmark-%)

help:
	@echo "make setup          make .venv and install uda with its development tools"
	@echo "make test           lint, then run the tests"
	@echo "make lint           ruff and mypy"
	@echo "make format         rewrite the code as ruff formats it"
	@echo "make benchmark      the embedded benchmark: no download, runs on a CPU"
	@echo "make choose         try again what the settings in benchmarks/$(DEFAULT_PAIR).toml were chosen from"
	@echo "make tables         make the tables in $(RESULTS)/ again from $(RESULTS)/runs.csv"
	@echo "make ablations      what each part of UNIT is worth, into $(RESULTS)/*-ablations.md"
	@echo "make validators     judge the label-free validators by the runs in $(RUNS), into $(RESULTS)/validators.md"
	@echo "make speed          race our methods against others on this machine, into $(RESULTS)/speed"
	@echo "make speed-gpu      all that is measured on a GPU, unattended, within 10 minutes"
	@echo "make clean          remove .venv and caches; runs, results and data stay"
	@$(foreach pair,$(PAIRS),echo "make benchmark-$(pair)";)
	@echo "  METHODS=dann,unit makes only these of a pair's methods"

# The environment is made again only when what it is made from changes.
setup: $(STAMP)

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist loadfile

benchmark: METHODS = source-only,unit,target-only
benchmark: benchmark-$(DEFAULT_PAIR)

$(PAIRS:%=benchmark-%): benchmark-%: benchmarks/%.toml setup
	$(BIN)/uda benchmark $< --results $(RESULTS) $(if $(METHODS),--methods $(METHODS))

choose: setup
	$(BIN)/uda choose benchmarks/$(DEFAULT_PAIR).toml --results $(RESULTS)

tables: setup
	$(BIN)/uda benchmark --tables --results $(RESULTS) $(patsubst %,benchmarks/%.toml,$(filter-out $(DIGITS) $(OWN_LENGTH),$(PAIRS)))
	$(BIN)/uda benchmark --tables --results $(RESULTS) --together digits $(DIGITS:%=benchmarks/%.toml)
	$(BIN)/uda benchmark --tables --results $(RESULTS) --together unit $(patsubst %,benchmarks/%.toml,$(filter $(OWN_LENGTH),$(PAIRS)))
	$(BIN)/uda validators $(HISTORY) -o $(RESULTS)/validators.md
	$(BIN)/uda validators $(METHODS_HISTORY) -o $(RESULTS)/methods-validators.md
	$(BIN)/uda validators $(SETTINGS_HISTORY) -o $(RESULTS)/settings-validators.md

ablations: setup
	for recipe in benchmarks/ablations/*.toml; do $(BIN)/uda ablate $$recipe --results $(RESULTS) || exit; done

validators: setup
	$(BIN)/uda validators $(RUNS) --history $(HISTORY) -o $(RESULTS)/validators.md

SPEED := benchmarks/speed

speed: setup
	$(BIN)/python $(SPEED)/unit.py --out $(RESULTS)/speed
	$(BIN)/python $(SPEED)/dann.py --out $(RESULTS)/speed
	$(BIN)/python $(SPEED)/profile_step.py --out $(RESULTS)/speed
	$(BIN)/python $(SPEED)/memory.py --out $(RESULTS)/speed
	$(BIN)/python $(SPEED)/compiled.py --out $(RESULTS)/speed
	$(BIN)/python $(SPEED)/precision.py --out $(RESULTS)/speed
	$(BIN)/python $(SPEED)/tables.py
	$(BIN)/python $(SPEED)/time_to_accuracy.py --out $(RESULTS)/speed

speed-gpu: setup
	$(BIN)/python $(SPEED)/window.py --device cuda --seconds 120 --out $(RESULTS)/speed/gpu
	$(BIN)/python $(SPEED)/window.py --device cuda --seconds 12 --width 16 --out $(RESULTS)/speed/gpu/narrow
	$(BIN)/python $(SPEED)/unit.py --device cuda --widths 96 --steps 20 --workers 4 --out $(RESULTS)/speed/gpu
	$(BIN)/python $(SPEED)/dann.py --device cuda --steps 20 --workers 4 --out $(RESULTS)/speed/gpu
	$(BIN)/python $(SPEED)/time_to_accuracy.py --device cuda --recipes benchmarks/fast-svhn-mnist.toml --out $(RESULTS)/speed/gpu
# The last, and its failure is none of the others': torch.compile needs a C compiler
	-$(BIN)/python $(SPEED)/unit.py --device cuda --compiled --widths 96 --steps 20 --workers 4 --out $(RESULTS)/speed/gpu/compiled

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
	find uda tests -name __pycache__ -type d -prune -exec rm -rf {} +
