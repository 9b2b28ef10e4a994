"""Reports of the finished run, a format each, written once a session: to read alone."""

from functools import cache

import pytest

from xadbench.evaluation.report import report as write_report


@pytest.fixture(scope="session")
def written(finished_run, tmp_path_factory):
    """A function that returns the first file of the report in a format."""
    return cache(lambda form: write_report(finished_run, tmp_path_factory.mktemp(form), form))


@pytest.fixture(scope="session")
def html(written):
    """The folder of the report in HTML."""
    return written("html").parent
