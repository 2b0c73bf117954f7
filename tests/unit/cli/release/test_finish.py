"""`make build` finishes what `sam build` made: a release of its own, an API document AWS can import."""

import json
from pathlib import Path

import pytest

from cli.release.finish import finish
from devstack.paths import REPOSITORY, TEMPLATE
from devstack.template import load_template
from tests.support.deployed import BUILT_AT
from tests.support.template import api_source


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """As `sam build` leaves it: the document's place is relative to the built template."""
    folder = tmp_path / "build"
    folder.mkdir()
    for named in ("api", "observability", "statemachines"):
        (tmp_path / named).symlink_to(REPOSITORY / named)
        (folder / named).symlink_to(REPOSITORY / named)
    text = TEMPLATE.read_text().replace(
        "Location: api/openapi.yaml", "Location: ../api/openapi.yaml"
    )
    (folder / "template.yaml").write_text(text)
    return folder


def test_a_build_is_stamped_and_its_document_inlined(build: Path) -> None:
    assert finish(build / "template.yaml", BUILT_AT) == "20260301T120509Z"
    template = load_template(build / "template.yaml")
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["RELEASE"] == "20260301T120509Z"
    document = template["Resources"]["Api"]["Properties"]["DefinitionBody"]
    assert '"$ref": "#/components/responses' not in json.dumps(document)
    assert document["paths"].keys() == api_source()["paths"].keys()


def test_the_document_stands_beside_the_built_template(build: Path) -> None:
    finish(build / "template.yaml", BUILT_AT)
    assert "../api/openapi.yaml" not in (build / "template.yaml").read_text()
    written = json.loads((build / "openapi.json").read_text())
    assert written["paths"], "JSON: it has no anchors, which API Gateway's import does not read"


def test_a_second_finish_is_refused(build: Path) -> None:
    """It would be a release that was not built."""
    finish(build / "template.yaml", BUILT_AT)
    with pytest.raises(ValueError, match="finished already"):
        finish(build / "template.yaml", BUILT_AT)


def test_nothing_else_of_the_template_changes(build: Path) -> None:
    before = load_template(build / "template.yaml")
    finish(build / "template.yaml", BUILT_AT)
    after = load_template(build / "template.yaml")
    for template in (before, after):
        template["Rules"].pop("BuiltByMake", None)
        template["Globals"]["Function"]["Environment"]["Variables"].pop("RELEASE")
        template["Resources"]["Api"]["Properties"].pop("DefinitionBody")
    assert after == before


def test_what_was_not_finished_stays_on_the_local_stack() -> None:
    rule = load_template(TEMPLATE)["Rules"]["BuiltByMake"]
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "Stage"}, "local"]}
