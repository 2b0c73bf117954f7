"""`make deploy`: the command of SAM that the stage, the environment and the command line make."""

import subprocess
from collections.abc import Mapping

import pytest

from cli.release.deploy import command
from cli.release.stage import advice
from tests.support.template import REPOSITORY

ROLE = "arn:aws:iam::123456789012:role/one"
BOUNDARY = "arn:aws:iam::123456789012:policy/two"


def made(
    *given: str, environment: Mapping[str, str] | None = None, arguments: tuple[str, ...] = ()
) -> list[str]:
    return command("homolog", given, arguments, environment or {})


def parameters(words: list[str]) -> dict[str, str]:
    start = words.index("--parameter-overrides") + 1
    pairs = [word for word in words[start:] if "=" in word]
    return dict(pair.split("=", 1) for pair in pairs)


def test_without_anything_samconfig_says_it_all() -> None:
    assert made() == [".venvs/sam/bin/sam", "deploy", "--config-env", "homolog"]
    assert made(arguments=("--no-confirm-changeset",))[-1] == "--no-confirm-changeset"


def test_a_parameter_is_added_to_those_of_samconfig() -> None:
    """SAM takes a list on the command line for all of it."""
    found = parameters(made("Rollout=Canary10Percent5Minutes", "SubnetIds=subnet-1,subnet-2"))
    assert found["Stage"] == "homolog"
    assert found["LogRetentionDays"] == "14"
    assert found["Rollout"] == "Canary10Percent5Minutes"
    assert found["SubnetIds"] == "subnet-1,subnet-2"


def test_the_variables_of_the_github_environment_are_taken() -> None:
    found = made(
        environment={
            "CLOUDFORMATION_ROLE_ARN": ROLE,
            "ARTIFACT_BUCKET": "packages",
            "PERMISSIONS_BOUNDARY_ARN": BOUNDARY,
        }
    )
    assert found[found.index("--role-arn") + 1] == ROLE
    assert found[found.index("--s3-bucket") + 1] == "packages"
    assert "--no-resolve-s3" in found, "samconfig.toml says the opposite"
    assert parameters(found)["PermissionsBoundaryArn"] == BOUNDARY
    assert parameters(found)["Stage"] == "homolog"


def test_empty_variables_are_none() -> None:
    """As GitHub gives those that an environment does not have."""
    empty = dict.fromkeys(
        ("CLOUDFORMATION_ROLE_ARN", "ARTIFACT_BUCKET", "PERMISSIONS_BOUNDARY_ARN"), ""
    )
    assert made(environment=empty) == made()


@pytest.mark.parametrize("word", ["Rollout", "NoSuchParameter=1", "=1"])
def test_what_is_no_parameter_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="parameter"):
        made(word)


def test_production_is_told_to_protect_its_tables_once_they_are_there() -> None:
    assert advice("production", {"ProtectTables": "true"}) == []
    assert advice("homolog", {"ProtectTables": "false"}) == []
    (told,) = advice("production", {"ProtectTables": "false"})
    assert "ProtectTables=true" in told


def recipe(target: str, *variables: str) -> str:
    words = ["make", "--dry-run", target, *variables]
    return subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def test_make_builds_for_the_stages_architecture() -> None:
    """Wheels are fetched for it."""
    assert "sam build --config-env production" in recipe("build", "STAGE=production")
    assert "sam build --config-env homolog" in recipe("build")


def test_make_looks_at_the_account_before_it_builds() -> None:
    said = recipe("deploy", "STAGE=production", "PARAMETERS=Rollout=AllAtOnce ApiRateLimit=9")
    order = [said.index(word) for word in ("release.preflight", "sam build", "release.deploy")]
    assert order == sorted(order)
    for module in ("preflight", "deploy"):
        assert f"release.{module} production Rollout=AllAtOnce ApiRateLimit=9" in said


@pytest.mark.parametrize("stage", ["homolog", "production"])
def test_a_stage_is_built_for_the_processor_it_is_deployed_to(stage: str) -> None:
    import tomllib

    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())[stage]
    built = dict(p.split("=", 1) for p in config["build"]["parameters"]["parameter_overrides"])
    deployed = dict(p.split("=", 1) for p in config["deploy"]["parameters"]["parameter_overrides"])
    assert built == {"LambdaArchitecture": deployed["LambdaArchitecture"]}


@pytest.mark.parametrize("stage", ["homolog", "production"])
def test_sam_waits_as_long_as_traffic_moves(stage: str) -> None:
    """Functions, then the job's machine, then the API's: an hour is SAM's own limit."""
    import tomllib

    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())[stage]
    assert config["deploy"]["parameters"]["max_wait_duration"] > 3 * 31
