"""Golden content hashes for x86-64: published tables never change."""

import pytest

from xadbench.datasets import content_hash, load_adbench
from xadbench.generator import generate, inject, load_recipe, with_rows

GOLDEN = [
    ("table2-d4-5", 0, "73fddd729027a87d7db49ec70061baecfa36cc7ff06f927dd495a8d0096088b8"),
    ("table2-d4-5", 1, "4e2ba69a1d7d7872f95592c227ab0e7175df0007d544b8fb7b7f5850dd530531"),
    ("table2-d4-10", 0, "c7471cd3562890b002ed9fcb3de72588c179d2eecac1018ae25a024512123b80"),
    ("table2-d10-5", 1, "8adb1fec9b6203240fab6c173cb58e691e469a7b812a87c413fb8041be002f7f"),
    ("table2-d10-5", 2, "5318b29c3f21f42988a9a50c723fe53193798f001b8004308dbc31f7c02d7890"),
    ("table2-d10-5", 3, "51ab37b298446a8149cf92086016ae656f260021cb97f8b2df0ad42e31fb912a"),
    ("table2-d10-5", 4, "2a72a12044917fbbf1c16d09c19776b19a436959c594f1946d6de81aeab755bd"),
    ("table2-d10-10", 0, "d337e975f08e5a266f6dd1386a9016354b9695074db5667118eff8b6a1033095"),
    ("table2-d50-5", 1, "0f5449482ad944fc5221da311d90bd0e541b1892c037e95159ddd31cc3a24531"),
    ("table2-d50-10", 0, "7a69527578a8a72ff5aee90e7261254ddeb2ef00033a847fa674540d43db2c7c"),
    ("table2-d100-5", 0, "d1a00eb86f9195da948fadfea0b8f25edb2cc92ea4a227a20602123465ee1754"),
    ("table2-d100-5", 1, "090429bee196793ef643b6607bc18d76bc8fd492e469ab595449de32655b3037"),
    ("table2-d100-10", 4, "3885c09a55883e79ec83dff27ce1ed5b300a8074e1b629abe423c37b3376febf"),
    ("table2-d1000-5", 0, "c3f43771a496073ce2e27238dc945c0df3bc194a071c43ef808cc60ed9296738"),
    ("table2-d1000-10", 3, "69c022d2c7efc22d74c95b52a4e1043d148dae16935e46a0318d154329ca58de"),
    ("contextual-d10", 0, "5dad81e7aa8a20be4e49e4d15fb47f272ce86f3e3ad6b51143760362b83ef0b2"),
    ("contextual-d10", 3, "16e0f351a8d680c0b92dfbc088ace6f624965d5e9a5766fddb3b138df6d494eb"),
    ("contextual-d30", 1, "3bd22e7f17eb3591a7111919f7f2c341f46706412613e4dbc15daa3b03e5e3b4"),
    ("contextual-d100", 2, "3a01a7310a1aab70fe81408f4ab84c50581a986d1383a402c0e9709917bbad6f"),
]


@pytest.mark.parametrize(("name", "seed", "expected"), GOLDEN)
def test_the_content_is_that_of_the_first_release(name, seed, expected):
    assert content_hash(generate(load_recipe(name), seed)) == expected


def test_the_content_of_a_long_table_is_what_it_was():
    table = generate(with_rows(load_recipe("table2-d4-5"), 20_000), seed=1)
    assert content_hash(table) == "f217d0530aa3ddfcd16894a13dad0f83436972d12f6598fe2d06ee9f2b9609c8"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vertebral", "7e61e926befb9d3a87ef6e79c5177e640b7f0dee19317b247269e370041fa4dd"),
        ("Wilt", "76e5f64c9832c051da26d0f7b76d3c2b0fc1ac525ba709d2bc93a280f1d75fc7"),
        ("PageBlocks", "ef45854a7b0e9294ad1b0338ccc5ff575dd343c8e01b27ebdb5c9df5746e6811"),
        ("landsat", "a60a7d31d9d9286a41ff377617e6ab9c34de41be6531d6a7a28b91e2b48f1c3c"),
    ],
)
def test_injected_content_is_that_of_the_first_release(name, expected, adbench_folder):
    assert content_hash(inject(load_adbench(name, adbench_folder))) == expected
