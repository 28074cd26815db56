"""docker-compose.yml and its image: they agree with each other and with the code."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.servers import POSTGRES_LOGS
from settings import read_settings
from tests.deploy.test_env_example import CONTAINERS_ONLY, assignments, names_read_by_settings
from tests.environment import ENVIRONMENT
from whatsapp.redis import SENDER_BEAT_KEY
from whatsapp.twilio_api import api_base_url

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
PROXY = ROOT / "deploy" / "proxy" / "nginx.conf"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"

PLANES = {"rasa", "actions", "web", "sender", "setup"}
WATCHING = {"prometheus", "grafana"}
"""Of the profile `observability`."""
LONG_RUNNING = {"proxy", "rasa", "actions", "web", "sender", "postgres", "redis"}
# What the containers fix themselves (by not passing it on) and why nobody may change it from outside.
FIXED = {"PORT", "RASA_PORT", "ACTIONS_PORT", "ACTIONS_PROCESSES", "METRICS_PORT", "STATE_DIR"}
SECRETS = {
    "POSTGRES_PASSWORD": "a-password-of-postgres",
    "REDIS_PASSWORD": "a-password-of-redis",
    "PUBLIC_BASE_URL": "https://shop.example",
    **{name: value for name, value in ENVIRONMENT.items() if name.startswith(("TWILIO", "PHONE"))},
    "WHATSAPP_WEBHOOK_VERIFY_TOKEN": "a-verify-token",
}
IMAGES_OWN_NAMES = {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "REDISCLI_AUTH"}


@pytest.fixture(scope="module")
def compose_command() -> list[str]:
    """A real parser; it needs no Docker engine."""
    for command in (["docker-compose"], ["docker", "compose"]):
        if shutil.which(command[0]):
            answer = subprocess.run([*command, "version"], capture_output=True, check=False)
            if answer.returncode == 0:
                return command
    pytest.skip("neither docker-compose nor docker compose is installed (Debian: docker-compose)")


def compose_config(command: list[str], folder: Path, given: dict[str, str]) -> subprocess.CompletedProcess:
    """The file as the parser understands it, with these variables and no others."""
    env_file = folder / "given.env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    known = names_read_by_settings() | CONTAINERS_ONLY
    environment = {name: value for name, value in os.environ.items() if name not in known}
    return subprocess.run(
        [*command, "--env-file", str(env_file), "-f", str(COMPOSE), "config"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def understood(command: list[str], folder: Path, **given: str) -> dict[str, Any]:
    answer = compose_config(command, folder, {**SECRETS, **given})
    assert answer.returncode == 0, answer.stderr
    return yaml.safe_load(answer.stdout)["services"]


def test_a_real_parser_accepts_it(compose_command, tmp_path):
    # Some versions list services of profiles, too.
    assert set(understood(compose_command, tmp_path)) - WATCHING == LONG_RUNNING | {"setup"}


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_missing_secret_is_named(compose_command, tmp_path, name):
    given = {other: value for other, value in SECRETS.items() if other != name}
    answer = compose_config(compose_command, tmp_path, given)
    assert answer.returncode != 0
    assert name in answer.stderr


@pytest.mark.parametrize(
    ("given", "production", "dev_mode"),
    [
        ({"ENABLE_PAYMENT_PROCESSING": "false"}, True, False),
        ({"APP_ENV": "development"}, False, True),
    ],
)
def test_the_settings_accept_what_containers_are_given(
    compose_command, tmp_path, monkeypatch, given, production, dev_mode
):
    services = understood(compose_command, tmp_path, **given)
    passed = [services[name]["environment"] for name in sorted(PLANES)]
    assert all(environment == passed[0] for environment in passed)
    for name in names_read_by_settings():
        monkeypatch.delenv(name, raising=False)
    for name, value in passed[0].items():
        if value is not None:
            monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)
    settings = read_settings()
    assert settings.is_production is production
    assert settings.whatsapp.dev_mode is dev_mode
    assert settings.public_base_url == "https://shop.example"
    assert settings.database_url == (
        f"postgresql+psycopg2://chatcart:{SECRETS['POSTGRES_PASSWORD']}@postgres:5432/whatsapp_bot"
    )
    assert (settings.redis.host, settings.redis.port) == ("redis", 6379)
    assert settings.redis.password == SECRETS["REDIS_PASSWORD"]
    assert settings.bind_host == "0.0.0.0"
    assert settings.web_url == f"http://web:{settings.port}"
    assert settings.rasa_url == f"http://rasa:{settings.rasa_port}"
    assert settings.actions_url == f"http://actions:{settings.actions_port}"
    assert api_base_url(settings) == (settings.web_url if dev_mode else None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENING_HOURS", "Mo-Fr 09:00-21:00; Sa 10:00-23:00; Dec 25 off"),
        ("TAX_CLASSES", "reduced=0.05,zero=0"),
        ("BANK_ACCOUNT", "Zenith Bank, 1012345678, Mama Put Ltd"),
    ],
)
def test_what_has_blanks_and_signs_in_it_arrives_as_it_was_written(compose_command, tmp_path, name, value):
    services = understood(compose_command, tmp_path, **{name: value})
    assert all(services[plane]["environment"][name] == value for plane in PLANES)


def test_only_the_proxy_is_published(services):
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published.pop("grafana") == ["127.0.0.1:3000:3000"], "who looks at dashboards is on this machine"
    assert published == {"proxy": ["${PUBLISHED_ADDRESS:-127.0.0.1}:${PUBLISHED_PORT:-4000}:4000"]}


def test_networks_keep_the_stores_and_planes_inside(document, services):
    internal = {name for name, network in document["networks"].items() if (network or {}).get("internal")}
    on = {name: set(service["networks"]) for name, service in services.items()}
    for name in ("postgres", "redis", "rasa", "setup"):
        assert on[name] <= internal, name
    assert on["proxy"] - internal == {"published"}
    assert not on["proxy"] & (on["actions"] | on["postgres"] | on["redis"])
    assert all(on["proxy"] & on[name] for name in ("rasa", "web"))
    assert on["sender"] - internal, "the sender has to reach Twilio"


def test_images(services):
    assert services["postgres"]["image"] == "postgres:15"
    assert services["redis"]["image"] == "redis:7-alpine"
    assert services["proxy"]["image"].startswith("nginx:")
    assert {services[name]["image"] for name in PLANES} == {"chatcart"}
    for name in PLANES:
        build = services[name]["build"]
        assert (ROOT / build["context"] / build["dockerfile"]).resolve() == DOCKERFILE


def test_redis_keeps_what_it_has_acknowledged(services):
    command = services["redis"]["command"]
    for option, value in (("--appendonly", "yes"), ("--appendfsync", "always")):
        assert command[command.index(option) + 1] == value
    assert command[command.index("--requirepass") + 1].startswith("${REDIS_PASSWORD:?")
    assert services["redis"]["volumes"] == ["redis:/data"]


def test_postgres_logs_no_values_of_statements(services):
    name, *options = services["postgres"]["command"]
    assert name == "postgres"
    assert options[::2] == ["-c"] * len(POSTGRES_LOGS)
    assert dict(option.split("=") for option in options[1::2]) == POSTGRES_LOGS


def test_every_long_running_service_is_watched_and_restarted(services):
    assert set(services) == LONG_RUNNING | WATCHING | {"setup"}
    for name in LONG_RUNNING | WATCHING:
        assert services[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        assert services[name]["restart"] == "unless-stopped", name
    assert services["setup"]["restart"] == "no"


def test_the_start_waits_for_health(services):
    for name, service in services.items():
        for other, wait in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other == "setup" else "service_healthy"
            assert wait == {"condition": expected}, f"{name} -> {other}"
    needs = {name: set(service.get("depends_on", {})) for name, service in services.items()}
    assert needs["proxy"] == {"web", "rasa"}
    assert all("setup" in needs[name] for name in PLANES - {"setup"})
    assert "postgres" in needs["setup"]


def test_volumes(document, services):
    assert set(document["volumes"]) == {"database", "redis", "models", "state", "metrics"}
    mounted = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert mounted >= set(document["volumes"])
    writable = re.search(r"chown \S+ (.+)$", DOCKERFILE.read_text(), re.M)
    assert writable is not None
    places = {str(Path("/app") / place) for place in writable[1].split()}
    assert {volume.split(":")[1] for volume in services["setup"]["volumes"]} == places
    assert (ROOT / "models" / ".gitkeep").exists()


@pytest.mark.parametrize("name", sorted(PLANES))
def test_containers_are_given_exactly_the_settings(services, name):
    passed = set(services[name]["environment"])
    assert passed <= set(assignments())
    assert passed == names_read_by_settings() - FIXED


def test_stores_are_given_what_their_images_read(services):
    for name in ("postgres", "redis"):
        assert set(services[name]["environment"]) <= IMAGES_OWN_NAMES
    assert services["postgres"]["environment"]["POSTGRES_DB"] == "whatsapp_bot"
    assert "environment" not in services["proxy"]


def test_no_secret_is_written_down(services):
    """Neither in the compose file nor in the image or the proxy's configuration."""
    secret = re.compile(r"PASSWORD|TOKEN|KEY|SECRET|SID|AUTH|NUMBER")
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if secret.search(variable):
                assert value is None or re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), f"{name}: {variable}"
    for file in (DOCKERFILE, PROXY):
        assert not re.search(r"(?i)(password|token|secret|key)\s*[=:]\s*\S", file.read_text())


def test_what_docker_compose_asks_for_is_in_the_example():
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text()))
    assert asked <= set(assignments())


def test_every_plane_runs_what_the_procfile_runs(services):
    procfile = {}
    for line in (ROOT / "Procfile").read_text().splitlines():
        if not line.startswith("#"):
            name, command = line.split(": ", 1)
            procfile[name] = command.split()
    assert set(procfile) == PLANES - {"setup"}
    for name, command in procfile.items():
        expected = " ".join(command)
        for here, there in (
            (".venvs/", "/opt/venvs/"),
            ("--interface 127.0.0.1", "--interface 0.0.0.0"),
            ("${RASA_PORT:-5005}", "5005"),
        ):
            expected = expected.replace(here, there)
        assert " ".join(services[name]["command"]) == expected


@pytest.mark.parametrize("name", sorted(PLANES - {"rasa"}))
def test_the_modules_of_commands_exist(services, name):
    python, flag, module = services[name]["command"]
    assert (python, flag) == ("/opt/venvs/commerce/bin/python", "-m")
    found = importlib.util.find_spec(module)
    assert found is not None
    if found.submodule_search_locations is not None:
        found = importlib.util.find_spec(f"{module}.__main__")
    assert found is not None and found.origin is not None
    assert 'if __name__ == "__main__":' in Path(found.origin).read_text()


def test_health_checks_ask_what_the_code_answers(services, settings):
    def asked(name: str) -> str:
        return services[name]["healthcheck"]["test"][-1]

    for name in PLANES - {"setup"}:
        ast.parse(asked(name))
    assert f"http://127.0.0.1:{settings.actions_port}/health'" in asked("actions")
    assert f"http://127.0.0.1:{settings.port}/health/live'" in asked("web")
    assert f"http://127.0.0.1:{settings.rasa_port}/webhooks/whatsapp/'" in asked("rasa")
    assert f"'{SENDER_BEAT_KEY}'" in asked("sender")
    assert asked("proxy") == "http://127.0.0.1:4001/"
    assert "listen 127.0.0.1:4001;" in PROXY.read_text()


def test_the_processes_may_do_little(services):
    for name in PLANES | {"proxy"}:
        service = services[name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert "privileged" not in service and "no-new-privileges:true" in service["security_opt"]
    assert re.search(r"^USER \d+:\d+$", DOCKERFILE.read_text(), re.M)


def test_the_image_has_both_environments_checked_by_hash():
    text = DOCKERFILE.read_text()
    for plane in ("commerce", "dialogue"):
        assert f"-p /opt/venvs/{plane}/bin/python --require-hashes requirements/{plane}.txt" in text
    assert text.count("--require-hashes") == 3
    assert "CHATCART_VENVS=/opt/venvs" in text
    wanted = (ROOT / ".python-version").read_text().split()
    assert f"python install {' '.join(wanted)}" in text
    copied = re.findall(r"^COPY (?!--from)(\S+)", text, re.M)
    assert all((ROOT / source).exists() for source in copied)


def test_the_image_is_given_the_code_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    given = {line.removeprefix("!") for line in patterns if line.startswith("!")}
    assert all((ROOT / name).exists() for name in given)
    tracked = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    rasa = {"data", "domain.yml", "config.yml", "credentials.yml", "endpoints.yml"}
    assert tracked | rasa | {"alembic.ini", "requirements"} == given
