from xadbench.evaluation.cli.options import parameters


def test_parameters_are_yaml():
    assert parameters(["a=1", "b=x=y", "c=[1, 2]", "d=true"]) == {"a": 1, "b": "x=y", "c": [1, 2], "d": True}
