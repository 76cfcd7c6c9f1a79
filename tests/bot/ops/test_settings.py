"""Settings are checked as a whole; each mistake has a sentence that says how to correct it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.ops import settings
from bot.ops.settings import Address, Settings, SettingsError

TOKEN = "MTQ1NjI1NTYzNzkxMzYwMDAwMg.GxYz12.a-signature-that-is-not-one"


def problems(environment: dict[str, str], dotenv: Path | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings.read(environment, dotenv)
    return caught.value.problems


def test_token_alone_is_enough() -> None:
    read = settings.read({"DISCORD_TOKEN": TOKEN})
    assert read == Settings(token=TOKEN)
    assert read.http == Address("127.0.0.1", 8080)
    assert not read.redirected


def test_environment_wins_over_dotenv(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"DISCORD_TOKEN={TOKEN}\nMAGPIE_LOG=debug\nMAGPIE_DEVICE=cuda\n")
    read = settings.read({"MAGPIE_LOG": "warning"}, dotenv)
    assert (read.token, read.log, read.device) == (TOKEN, "warning", "cuda")


def test_empty_value_counts_as_not_set(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"DISCORD_TOKEN={TOKEN}\nMAGPIE_DB=\n")
    assert settings.read({"DISCORD_TOKEN": ""}, dotenv) == Settings(token=TOKEN)


def test_unknown_precision_is_told_the_nearest() -> None:
    found = problems({"DISCORD_TOKEN": TOKEN, "MAGPIE_PRECISION": "fats"})
    assert found == [
        "MAGPIE_PRECISION=fats: must be auto, exact, default or fast; did you mean fast?"
    ]


def test_missing_dotenv_is_no_problem(tmp_path: Path) -> None:
    assert settings.read({"DISCORD_TOKEN": TOKEN}, tmp_path / ".env").token == TOKEN


def test_all_problems_come_in_one_list(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("MAPGIE_MODEL=x\nthis is no setting\n")
    found = problems({"MAGPIE_HTP": "1", "MAGPIE_DEVICE": "gpu", "MAGPIE_LOG": "wran"}, dotenv)
    assert len(found) == 6
    text = "\n".join(found)
    assert "MAPGIE_MODEL: there is no such setting" in text
    assert "did you mean MAGPIE_MODEL?" in text
    assert "line 2: is not NAME=value" in text
    assert "MAGPIE_HTP" in text
    assert "did you mean MAGPIE_HTTP?" in text
    assert "DISCORD_TOKEN: is not set" in text
    assert "MAGPIE_DEVICE=gpu: must be auto, cpu, cuda or mps" in text
    assert "MAGPIE_LOG=wran" in text
    assert "did you mean warning?" in text


@pytest.mark.parametrize(
    ("token", "advice"),
    [
        (f"Bot {TOKEN}", "without the word before it"),
        (f'"{TOKEN}"', "quotes or spaces"),
        ("1456255637913600002", "application's id"),
        ("vK3f0-a-client-secret-of-32-letters", "does not look like a bot token"),
        ("bm90IGRpZ2l0cw.abc.def", "does not look like a bot token"),
    ],
)
def test_wrong_token_is_explained_and_never_repeated(token: str, advice: str) -> None:
    (problem,) = problems({"DISCORD_TOKEN": token})
    assert advice in problem
    for part in token.replace('"', "").split():
        assert part == "Bot" or part not in problem


def test_token_is_not_in_repr() -> None:
    assert TOKEN not in repr(settings.read({"DISCORD_TOKEN": TOKEN}))


def test_stand_in_for_discord_may_have_any_token() -> None:
    read = settings.read({"DISCORD_TOKEN": "anything", "DISCORD_API": "http://127.0.0.1:8123/"})
    assert read.api == "http://127.0.0.1:8123"
    assert read.redirected


@pytest.mark.parametrize("api", ["http://127.0.0.1:8123/api/v10", "http://127.0.0.1:8123/api"])
def test_api_may_be_given_with_its_path(api: str) -> None:
    read = settings.read({"DISCORD_TOKEN": "anything", "DISCORD_API": api})
    assert read.api == "http://127.0.0.1:8123"


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("DISCORD_API", "localhost:8123", "must be an address"),
        ("DISCORD_API", "http://discord.com", "unencrypted"),
        ("MAGPIE_DB", ".", "is a folder"),
        ("MAGPIE_HTTP", "8080", "host:port"),
        ("MAGPIE_HTTP", "127.0.0.1:99999", "between 1 and 65535"),
        ("MAGPIE_LOG", "loud", "must be debug, info, warning or error"),
    ],
)
def test_malformed_setting_names_itself_and_its_value(name: str, value: str, part: str) -> None:
    (problem,) = problems({"DISCORD_TOKEN": TOKEN, name: value})
    assert problem.startswith(f"{name}={value}: ")
    assert part in problem


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("DISCORD_API", "http://[::1", "must be an address"),
        ("DISCORD_API", "http://exa℀mple.com", "must be an address"),
        ("DISCORD_API", "http://localhost:port", "must be an address"),
        ("MAGPIE_DB", "~nobody-of-that-name/magpie.db", "can't be a file"),
        ("MAGPIE_DB", "x" * 5000, "can't be a file"),
        ("MAGPIE_HTTP", "http://[x", "must be host:port"),
        ("MAGPIE_HTTP", "127.0.0.1:" + "9" * 5000, "must be host:port"),
        ("MAGPIE_LOG", "http://[", "must be debug"),
    ],
)
def test_setting_that_cannot_be_taken_apart_is_a_problem_like_any_other(
    name: str, value: str, part: str
) -> None:
    (problem,) = problems({"DISCORD_TOKEN": TOKEN, name: value})
    assert part in problem


@pytest.mark.parametrize(
    "address", ["mysql://me:pw@host/db", "postgresql://me:pw@host", "postgresql://host?password=pw"]
)
def test_password_in_a_database_address_is_not_repeated(address: str) -> None:
    (problem,) = problems({"DISCORD_TOKEN": TOKEN, "MAGPIE_DB": address})
    assert "pw" not in problem
    assert "host" in problem


def test_a_database_is_taken_and_its_password_is_not_shown() -> None:
    address = "postgresql://me:pw@host/db"
    chosen = settings.read({"DISCORD_TOKEN": TOKEN, "MAGPIE_DB": address})
    assert chosen.db == address
    assert chosen.gallery == "postgresql://host/db"
    assert "pw" not in repr(chosen)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("0.0.0.0:9000", Address("0.0.0.0", 9000)),
        ("[::1]:9000", Address("::1", 9000)),
        ("off", None),
        ("OFF", None),
    ],
)
def test_http_address_is_read(value: str, address: Address | None) -> None:
    assert settings.read({"DISCORD_TOKEN": TOKEN, "MAGPIE_HTTP": value}).http == address


def test_settings_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"DISCORD_TOKEN={TOKEN}\nHF_HOME=/somewhere\nexport OMP_NUM_THREADS=1\n")
    assert settings.read({"PATH": "/bin", "DISCORD_OPENAPI": "x.json"}, dotenv).token == TOKEN
