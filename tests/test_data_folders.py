"""Real data are found by environment variables alone."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VARIABLES = ["XADBENCH_ADBENCH_DIR", "XADBENCH_REAL_DIR"]


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("value", [None, "", "gone"])
def test_without_real_data_the_reason_names_the_variable(data_folder, monkeypatch, tmp_path, variable, value):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(variable, raising=False)
    if value is not None:
        monkeypatch.setenv(variable, value)
    with pytest.raises(pytest.skip.Exception, match=variable):
        data_folder(variable)


@pytest.mark.parametrize("variable", VARIABLES)
def test_real_data_are_where_the_variable_says(data_folder, monkeypatch, tmp_path, variable):
    monkeypatch.setenv(variable, str(tmp_path))
    assert data_folder(variable) == tmp_path.resolve()
    assert variable in (ROOT / "tox.ini").read_text(encoding="utf-8")
