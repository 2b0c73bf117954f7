"""`sslmode=verify-full` with a bundle of certificates, as docs/deploy.md asks for, on a real server."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from database.address import CERTIFICATES, here
from devstack.servers import Postgres
from tests.support.certificates import self_signed
from tests.support.template import REPOSITORY
from tests.support.tls_front import Front, tls_front
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.domain.errors import StoreUnavailable

pytestmark = pytest.mark.integration


@pytest.fixture
def front(postgres: Postgres, tmp_path: Path) -> Iterator[tuple[Front, Path]]:
    """A server that speaks TLS, and the certificate that says it is `localhost`."""
    certificate = self_signed(tmp_path, x509.DNSName("localhost"))
    with tls_front(certificate, postgres.port) as front:
        yield front, certificate


def connect(front: Front, options: str) -> None:
    url = f"postgresql://vsl@localhost:{front.port}/vsl?hostaddr=127.0.0.1&{options}"
    connection = PostgresConnection(lambda: url)
    try:
        assert connection.run(lambda sql: sql.execute("SELECT 1").fetchone()) == (1,)
    finally:
        connection.close()


def test_a_bundle_that_knows_the_server_lets_it_in(front: tuple[Front, Path]) -> None:
    server, certificate = front
    connect(server, f"sslmode=verify-full&sslrootcert={certificate}")
    assert server.secured == 1


def test_another_bundle_does_not(
    front: tuple[Front, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = self_signed(tmp_path_factory.mktemp("other"), x509.DNSName("localhost"))
    with pytest.raises(StoreUnavailable):
        connect(front[0], f"sslmode=verify-full&sslrootcert={other}")


def test_another_name_does_not_either(front: tuple[Front, Path]) -> None:
    server, certificate = front
    url = f"postgresql://vsl@127.0.0.1:{server.port}/vsl?sslmode=verify-full&sslrootcert={certificate}"
    with pytest.raises(StoreUnavailable):
        PostgresConnection(lambda: url).run(lambda sql: sql.execute("SELECT 1").fetchone())


def test_require_encrypts_and_checks_no_certificate(front: tuple[Front, Path]) -> None:
    """Why it is not what the document asks for."""
    connect(front[0], "sslmode=require")
    assert front[0].secured == 1


def test_the_bundle_beside_the_catalogue_is_in_the_config_layer(tmp_path: Path) -> None:
    """`sam build` makes the layer with this target, whether there is one or not."""
    folder = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", folder)
    layer = tmp_path / "layer"
    command = ["make", "-C", str(folder), "build-ConfigLayer", f"ARTIFACTS_DIR={layer}"]
    subprocess.run(command, check=True, capture_output=True)
    assert {path.name for path in (layer / "config").iterdir()} == {"hardware.json", "models.json"}
    (folder / "rds.pem").write_text("certificates")
    subprocess.run(command, check=True, capture_output=True)
    assert (layer / "config/rds.pem").read_text() == "certificates"


def test_an_address_for_functions_works_from_a_persons_machine() -> None:
    """Migrations and `vsl doctor` read the functions' own secret; Lambda's paths are not here."""
    given = "postgresql://u@h/vsl?sslmode=verify-full&sslrootcert=/opt/config/rds.pem"
    assert here(given) == given.replace("/opt/config/", f"{REPOSITORY}/config/")
    proxied = "postgresql://u@h/vsl?sslrootcert=/opt/python/certifi/cacert.pem&sslmode=verify-full"
    assert Path(here(proxied).partition("sslrootcert=")[2].partition("&")[0]).is_file()
    assert here("postgresql://u@h/vsl?sslmode=require") == "postgresql://u@h/vsl?sslmode=require"
    assert here("host=h dbname=vsl") == "host=h dbname=vsl"


def test_the_document_names_these_places() -> None:
    text = (REPOSITORY / "docs/deploy.md").read_text()
    for place in CERTIFICATES:
        assert f"sslrootcert={place}" in text
    assert "/opt/python/certifi/cacert.pem" in CERTIFICATES
    requirements = (REPOSITORY / "layers/runtime/requirements.txt").read_text()
    assert "\ncertifi==" in requirements
