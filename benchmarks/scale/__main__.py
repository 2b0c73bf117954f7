"""`python -m benchmarks.scale`: write docs/cost-and-scale.md and its pictures anew."""

import tests.conftest  # noqa: F401 - the sealed environment of every test: no look-up leaves the machine
from benchmarks.scale.page import PAGE, write_page
from benchmarks.scale.pictures import COST, SCALE, draw
from tests.support.template import REPOSITORY

if __name__ == "__main__":
    write_page()
    draw()
    for path in (PAGE, COST, SCALE):
        print(path.relative_to(REPOSITORY))  # noqa: T201
