"""Lambda takes 4 KB of environment, names included, and refuses more in the middle of a deployment."""

import pytest

from tests.support.deployed import of_type, resolved, transformed

MOST = 4096
# Longer than usual: a stage's own names are some forty characters.
LONG = {
    "CorsOrigins": ",".join(f"https://page-{n}.example.com" for n in range(25)),
    "DownloadOrigins": "https://replicate.delivery,https://*.replicate.delivery," * 4,
    "ModelsConfig": "ssm:/vsl/production/models-" + "x" * 100,
    "MediaBucketName": "b" * 63,
    "EventBusName": "e" * 256,
    "PublicApiUrl": "https://front.example.com/" + "p" * 100,
}


@pytest.mark.parametrize("given", [{}, LONG])
def test_every_environment_fits(given: dict[str, str]) -> None:
    functions = of_type(resolved(transformed(), given), "AWS::Lambda::Function")
    for name, function in functions.items():
        variables = function["Properties"]["Environment"]["Variables"]
        assert sum(len(n) + len(str(v)) for n, v in variables.items()) < MOST, name
