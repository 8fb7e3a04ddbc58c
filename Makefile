# Every verb of the project; `make` lists them, `make help-all` describes them. CI calls only these.

SHELL = /bin/sh
.DEFAULT_GOAL = help

# The environment variables that verbs inherit, in addition to those given on make's command line.
# DATABASE_URL is accepted only there, because other projects set one, too.
of_the_user = PATH HOME USER LOGNAME TERM COLORTERM NO_COLOR COLUMNS LINES TMPDIR XDG_% SSH_AUTH_SOCK CI \
    WATCHFILES_FORCE_POLLING
of_the_network = %_proxy %_PROXY SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE \
    NODE_EXTRA_CA_CERTS
of_installers = PIP_% UV_CACHE_DIR UV_DEFAULT_INDEX UV_INDEX% UV_EXTRA_INDEX_URL UV_FIND_LINKS \
    UV_NATIVE_TLS PLAYWRIGHT_% npm_config_% NPM_CONFIG_%
of_containers = DOCKER_% BUILDKIT_% BUILDX_% COMPOSE_PROJECT_NAME CONTAINER_HOST KUBECONFIG KIND_% \
    K3D_% MINIKUBE_% AWS_% AZURE_% GOOGLE_% CLOUDSDK_%
settings = THOUGHTS_PORT USERS_PORT FRONTEND_PORT POSTGRES_PORT LOG_LEVEL LOG_FORMAT REGISTRATION \
    BACKGROUND BACKUP BACKUP_FOLDER SERVICE DEBUGGER OVERLAY CONTEXT CLUSTER_TOOL INGRESS_PORT IMAGE_LOADER \
    REGISTRY WAIT_SECONDS DROP_OLD YES CHROMIUM VULNERABILITIES REQUESTS N
inherited = $(of_the_user) $(of_the_network) $(of_installers) $(of_containers) $(settings)
environment = $(foreach name,$(.VARIABLES),$(if $(filter environment,$(origin $(name))),$(name)))
unexport $(filter-out $(inherited),$(environment)) MAKEFLAGS MFLAGS
# Text is UTF-8 in any locale, and connections to this machine use no proxy.
export PYTHONUTF8 = 1
not_by_proxy := $(or $(no_proxy),$(value NO_PROXY))
export no_proxy := $(if $(filter *,$(not_by_proxy)),*,localhost,127.0.0.1,::1,$(not_by_proxy))

# Every target is a verb, even if a file or folder has the same name.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' Makefile)

# Verbs run one after the other, even with -j: they use the same environment and data.
.NOTPARALLEL:

# The Python that creates the environment: PYTHON, or the first of these that is new enough.
candidates = $(if $(PYTHON),'$(subst ','\'',$(PYTHON))',python3 python3.14 python3.13 python3.12 python3.11)
find_python = $(shell for candidate in $(candidates); do \
    new_enough=$$("$$candidate" -Ic 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null </dev/null); \
    test "$$new_enough" = True && { echo "$$candidate"; break; }; done)
no_python = $(error MyThoughts needs Python 3.11 or newer, and $(or $(PYTHON),python3) is not. \
    Install one, or name one: make PYTHON=/path/to/python3.13)
python = "$(or $(find_python),$(no_python))"

venv = .venv/bin/python
install_run = @$(python) -m tooling.environment run
install_all = @$(python) -m tooling.environment development

backends = thoughts_backend users_backend

help:
	@echo 'MyThoughts. Each verb installs what it needs. To begin:'
	@echo
	@awk '/^##@/ { groups++; if (groups == 2) print "\nThe others, which `make help-all` describes:\n"; \
	        if (groups > 1) printf "%s  %-8s", (groups > 2 ? "\n" : ""), substr($$0, 5) } \
	    /^[a-z-]+:.*## / { split($$0, part, ":.*## "); \
	        if (groups == 1) printf "  make %-7s %s\n", part[1], part[2]; else printf " %s", part[1] } \
	    END { print "\n" }' Makefile
	@echo 'Settings, with their defaults: THOUGHTS_PORT=8000 USERS_PORT=8001'
	@echo 'FRONTEND_PORT=8002 POSTGRES_PORT=0 (any free port) LOG_LEVEL=info'
	@echo 'LOG_FORMAT=console REGISTRATION=closed. With BACKGROUND=1, `make up` runs'
	@echo 'in the background.'

help-all:
	@awk '/^##@/ { printf "%s%s\n", (groups++ ? "\n" : ""), substr($$0, 5) } \
	    /^[a-z-]+:.*## / { split($$0, part, ":.*## "); printf "  make %-13s %s\n", part[1], part[2] }' \
	    Makefile

##@ Begin

up: ## Start the system and follow its logs; Ctrl-C stops it
	$(install_run)
	@exec $(venv) -m local up

dev: ## The same, and restart what changes; CLUSTER=1: one service
	$(if $(DEBUGGER),$(install_all),$(install_run))
	@exec $(venv) -m $(if $(filter command,$(origin CLUSTER)),deploy,local) dev

down: ## Stop the system
	@exec $(python) -m local down

test: chromium clients kubectl ## Run all tests; NO_BROWSER=1 and NO_NODE=1 leave some out
	@exec $(venv) -m pytest -n auto --dist loadfile \
	    -m 'not other_days$(if $(NO_BROWSER), and not browser)$(if $(NO_NODE), and not node)' \
	    $(ARGS)

reset: ## Delete the system's data; asks first, unless YES=1
	@exec $(python) -m local reset

##@ Run

logs: ## Follow the logs; SERVICE=frontend follows one of them
	@exec $(python) -m local logs

backup: ## Back up both databases, running or not
restore: ## Restore a backup, after asking; BACKUP=NAME or the newest
backup restore:
	$(install_run)
	@exec $(venv) -m local $@

load-data: ## Add N=1000000 generated thoughts to the database
	$(install_all)
	@exec $(venv) -m benchmarks.load_data

##@ Docker

compose = docker compose
# The last log lines of each failed service, because Compose reports only that it failed.
show_failed = $(compose) ps --all --format '{{.Service}} {{.ExitCode}} {{.Health}}' \
    | awk '$$2 != 0 || ($$3 != "" && $$3 != "healthy") { print $$1 }' \
    | xargs -n 1 $(compose) --ansi never logs --tail=5

# The commit and its date, for the labels of the images; empty without git.
images compose-up compose-dev: export REVISION = $(shell git rev-parse HEAD 2>/dev/null)
images compose-up compose-dev: export CREATED = $(shell git log -1 --format=%cI 2>/dev/null)
# Build attestations contain the time: with them, an unchanged tree would produce a new image each time.
images compose-up compose-dev: export BUILDX_NO_DEFAULT_ATTESTATIONS = 1

images: ## Build the images; SERVICE=frontend builds one
	@$(compose) build $(or $(SERVICE),thoughts-backend users-backend frontend)

compose-up: ## Start the system with Docker Compose, in the background
	@$(compose) up --build --detach --wait || { echo; $(show_failed); exit 1; }
	@echo
	@echo 'MyThoughts is ready.'
	@echo
	@echo '  Frontend          http://localhost:$(or $(FRONTEND_PORT),8002)/'
	@echo '  Users Backend     http://localhost:$(or $(USERS_PORT),8001)/schema/swagger'
	@echo '  Thoughts Backend  http://localhost:$(or $(THOUGHTS_PORT),8000)/schema/swagger'
	@echo
	@echo '  Log in as bruce (password: bruce) or stephen (password: stephen).'
	@echo '  The administrator is admin; this shows the password:'
	@echo '    docker compose run --rm --no-deps --entrypoint cat admin /run/secrets/admin/password'
	@echo
	@echo '  `docker compose logs --follow` follows its logs, and `make compose-down` stops it.'
	@echo

compose-dev: ## Rebuild and restart its services when their code changes
	@$(compose) watch

compose-down: ## Stop it and keep its data
	@$(compose) down
	@echo 'The data is kept. To delete it as well: docker compose down --volumes'

##@ Cluster

cluster-up: ## Create a cluster on this machine and deploy to it
cluster-down: ## Delete this cluster; asks first, unless YES=1
deploy: ## Deploy to kubectl's current cluster; OVERLAY=production
redeploy: ## Build SERVICE=frontend and replace its pods
cluster-dev: ## Run the working tree in kubectl's cluster; SERVICE=frontend
undeploy: ## Delete the system and its data from kubectl's cluster
prepare: ## Prepare kubectl's cluster for docs/chapter.md

##@ Keys

secrets: ## Create missing keys and passwords; OVERLAY=production
rotate-keys: ## Rotate the token keys; DROP_OLD=1 drops the old ones

cluster-up cluster-down deploy redeploy cluster-dev undeploy prepare secrets rotate-keys:
	$(if $(DEBUGGER),$(install_all),$(install_run))
	@exec $(venv) -m deploy $@

##@ Tests

# What `make test` needs besides the environment.
chromium:
	$(install_all)
ifndef NO_BROWSER
	@$(venv) -m tooling.chromium
endif
clients:
	$(install_all)
ifndef NO_NODE
	@$(venv) -m tests.clients.tools
endif

kubectl:
	$(install_all)
	@$(venv) -m tests.manifests.kubectl

test-newcomer: ## Test `make up` in fresh clones on unusual machines
	$(install_all)
	@exec $(venv) -m pytest local/tests/test_newcomer.py $(ARGS)

test-system: chromium clients ## Test the whole system as `make up` starts it
	@exec $(venv) -m pytest -n auto --dist loadfile tests -m system $(ARGS)

test-images: images ## Test the images and their Compose project
	$(install_all)
	@exec $(venv) -m pytest -n auto --dist loadfile tests/containers $(ARGS)

test-compose: images chromium clients ## Test the whole system in Docker Compose
	@exec $(venv) -m tests.containers $(ARGS)

test-cluster: chromium clients ## Test the system in kubectl's cluster; this kills pods
	@exec $(venv) -m tests.cluster $(ARGS)

##@ Checks

lint: ## Check style, imports, dependencies and Dockerfiles
	$(install_all)
	@$(venv) -m ruff check .
	@$(venv) -m ruff format --check .
	@.venv/bin/lint-imports --no-logo
	@.venv/bin/hadolint services/*/Dockerfile
	@set -e; root=$$PWD; for package in chassis services/*/; do \
	    (cd "$$package" && "$$root/.venv/bin/deptry" --no-ansi src); done
	@.venv/bin/zizmor --offline --quiet .github

typecheck: ## Check the types of the code and its tests
	$(install_all)
	@$(venv) -m mypy .

scan: kubectl ## Scan the Kubernetes manifests for insecure settings
	@exec $(venv) -m tests.manifests.scan

audit: ## Find vulnerabilities; VULNERABILITIES=all.zip works offline
	$(install_all)
	@exec $(venv) -m tests.supply.audit

sbom: ## Write a bill of materials of each service to .sbom/
	$(install_all)
	@exec $(venv) -m tests.supply.sbom

test-rules: ## Test the alert rules and the dashboard with Prometheus
	$(install_all)
	@exec $(venv) -m pytest tests/rules $(ARGS)

test-security: chromium ## Attack the services; REQUESTS=20000 to each backend
	@$(venv) -m pytest -n auto --dist loadfile -m 'security$(if $(NO_BROWSER), and not browser)' $(ARGS)
	@exec $(venv) -m tests.fuzz --requests $(or $(REQUESTS),20000)

fuzz: ## Send each backend thousands of generated requests
	$(install_all)
	@exec $(venv) -m tests.fuzz $(ARGS)

bench: ## Measure requests and starts; ARGS=search or ARGS=images
	$(install_all)
	@exec $(venv) -m benchmarks $(ARGS)

##@ Changes

format: ## Format the code and apply the linter's safe fixes
	$(install_all)
	@$(venv) -m ruff check --fix .
	@$(venv) -m ruff format .

picture: kubectl ## Draw docs/images/cluster.svg from the manifests
	@exec $(venv) -m tests.manifests.picture

openapi: ## Write each backend's openapi.json
	$(install_all)
	@set -e; for service in $(backends); do \
	    $(venv) -m $$service openapi > services/$$service/openapi.json.new; \
	    mv services/$$service/openapi.json.new services/$$service/openapi.json; done

compile = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-package mythoughts-chassis --no-header --no-annotate
descriptions = services/thoughts_backend/pyproject.toml services/users_backend/pyproject.toml \
    services/frontend/pyproject.toml

lock: ## Update the lock files; UPGRADE=1 upgrades all packages
	$(install_all)
	@$(compile) $(if $(UPGRADE),--upgrade) $(descriptions) requirements/run.in \
	    requirements/development.in --output-file requirements/development.txt
	@set -e; for lock in installer build run; do \
	    test $$lock = run && sources='$(descriptions)' || sources=; \
	    $(compile) --constraints requirements/development.txt $$sources requirements/$$lock.in \
	        --output-file requirements/$$lock.txt; done
	@set -e; for service in $(backends) frontend; do \
	    test $$service = frontend && excludes= || excludes='--excludes requirements/backends.excludes'; \
	    $(compile) --constraints requirements/development.txt $$excludes \
	        services/$$service/pyproject.toml --output-file services/$$service/requirements.txt; done
	@set -e; for lock in scanner clients auditor; do \
	    $(compile) $(if $(UPGRADE),--upgrade) requirements/$$lock.in --output-file requirements/$$lock.txt; done
	@$(venv) -m tests.clients.tools $(if $(UPGRADE),update,install) --package-lock-only

clean: ## Delete what tools left behind, but not the data or .venv
	@rm -rf .coverage .coverage.* .sbom .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
