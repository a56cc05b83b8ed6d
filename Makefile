# `make run` and `make test` set up what they need, in .venv, and say what they do.
PYTHON ?= python3
VENV := .venv/bin/python
INSTALLED := .venv/installed

.PHONY: run smoke color steer test test-slow known-answers power lint format config lock clean

run: $(INSTALLED) ## install what is missing, then run the whole workflow with config.yaml
	$(VENV) -m snakemake --cores all
	@echo "The report: $(CURDIR)/results/report.html"

smoke: $(INSTALLED) ## the same in about three minutes, with few texts; results in results-smoke/results
	$(VENV) -m snakemake --cores all --directory results-smoke --configfile presets/smoke.yaml
	@echo "The report: $(CURDIR)/results-smoke/results/report.html"

# What `make color` colours and `make steer` steers, and by what.
RESULTS ?= results
MODEL ?= smollm2
STORY_SET ?= bundled
PAGE = $(RESULTS)/pictures/$(CONCEPT).html

# Through the environment, so that neither make nor the shell reads the text's quotes and dollars.
color: export GIVEN_TEXT = $(value TEXT)
color: $(INSTALLED) ## colour a text of your own: make color TEXT="It was late." CONCEPT=afraid, or FILE=text.txt; LAYER=20
	@$(VENV) scripts/color_text.py --model "$(RESULTS)/$(MODEL)/model.json" \
	    --vectors "$(RESULTS)/$(MODEL)/vectors/$(STORY_SET)/vectors.safetensors" --concept "$(CONCEPT)" \
	    --page "$(PAGE)" $(if $(LAYER),--layer $(LAYER)) $(if $(FILE),--file "$(FILE)",--text="$$GIVEN_TEXT")
	@echo "The picture: $$(realpath '$(PAGE)')"

# What `make steer` adds, and how much.
STRENGTH ?= 0.05
steer: export GIVEN_TEXT = $(value TEXT)
steer: $(INSTALLED) ## steer a text of your own: make steer TEXT="It was late and" CONCEPT=calm STRENGTH=0.08; FORM=chat for a message
	@$(VENV) scripts/steer_text.py --model "$(RESULTS)/$(MODEL)/model.json" \
	    --vectors "$(RESULTS)/$(MODEL)/vectors/$(STORY_SET)/vectors.safetensors" --concept "$(CONCEPT)" \
	    --strength $(STRENGTH) $(if $(FORM),--form $(FORM)) --text="$$GIVEN_TEXT"

test: lint ## the linters, then the tests
	$(VENV) -m pytest

test-slow: $(INSTALLED) ## what takes minutes: other programs that load the vectors, hundreds of null models
	$(VENV) -m pytest -m slow

known-answers: $(INSTALLED) ## planted models, and 200 random models and 400 of noise
	$(VENV) -m pytest tests/known_answers -m "slow or not slow"

power: $(INSTALLED) ## how often an effect of what size is found, with how many stories and texts: docs/power*.csv, figures; PART=texts
	PYTHONPATH=scripts $(VENV) -m tests.known_answers.power $(PART)

lint: $(INSTALLED)
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	$(VENV) -m snakefmt --check Snakefile rules
	$(VENV) -m snakemake --lint

format: $(INSTALLED)
	$(VENV) -m ruff check --fix .
	$(VENV) -m ruff format .
	$(VENV) -m snakefmt Snakefile rules

config: $(INSTALLED) ## generate config.yaml and its schema from scripts/emotion_concepts/config.py
	$(VENV) scripts/write_config_files.py

lock: ## pin envs/requirements.in anew, in a fresh environment
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet torch==2.13.0
	.venv-lock/bin/python -m pip install --quiet -r envs/requirements.in
	( echo "# Every package of a run and of the tests, pinned. Made by \`make lock\` from requirements.in."; \
	  .venv-lock/bin/python -m pip freeze | sed 's/^torch==.*/torch==2.13.0/' ) > envs/requirements.txt
	rm -rf .venv-lock
	( echo "# For --sdm conda: the same pins as requirements.txt, from which \`make lock\` makes this."; \
	  echo "channels: [conda-forge]"; echo "dependencies:"; echo "  - python=3.11"; echo "  - pip"; echo "  - pip:"; \
	  sed -n 's/^[^#].*/      - &/p' envs/requirements.txt ) > envs/workflow.yaml

$(INSTALLED): envs/requirements.txt
	@echo "Setting up .venv (once; about 1.7 GB)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; try: make PYTHON=python3.11 run")'
	$(PYTHON) -m venv .venv
	$(VENV) -m pip install --quiet --disable-pip-version-check -r envs/requirements.txt
	@touch $(INSTALLED)

clean: ## remove the environment and all results (the cache folder with the models stays)
	rm -rf .venv results results-smoke .snakemake
