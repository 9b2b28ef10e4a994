"""Golden content hashes for x86-64: published tables never change."""

import pytest

from xadbench.datasets import content_hash, load_adbench
from xadbench.generator import generate, inject, load_recipe, with_rows

# By recipe and seed.
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
    ("contextual-d10", 0, "8ff7f78b9a6534f42a9943757a389531198220dd496ea61905c21e6d48269ef3"),
    ("contextual-d30", 1, "7285889af726bd90025bb53db944d74c9c3ebdf6b7377b537cf4ffec81b237f5"),
]
SLOW = [  # second tables of a family, which run no other code than the first
    ("table2-d1000-10", 3, "69c022d2c7efc22d74c95b52a4e1043d148dae16935e46a0318d154329ca58de"),
    ("contextual-d10", 3, "62baa507c9493f8802cdd01c19959649147d337335172f1d449048edcbfadb1f"),
    ("contextual-d100", 2, "7098c1c30b4671aae41b5e2f27dc2b7232b9bcbd4ab2a475be9707bb07c0d4ec"),
]


@pytest.mark.parametrize(
    ("name", "seed", "expected"), [*GOLDEN, *(pytest.param(*of, marks=pytest.mark.slow) for of in SLOW)]
)
def test_the_content_is_that_of_the_release(name, seed, expected):
    assert content_hash(generate(load_recipe(name), seed)) == expected


def test_the_content_of_a_long_table_is_what_it_was():
    table = generate(with_rows(load_recipe("table2-d4-5"), 20_000), seed=1)
    assert content_hash(table) == "f217d0530aa3ddfcd16894a13dad0f83436972d12f6598fe2d06ee9f2b9609c8"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vertebral", "a1d5125f4eb28243db971e8ccf447a854c0dbb9e9dabc40d429bf4a40724c672"),
        ("Wilt", "69a4a66f47b74a693997f3a5455b8ca25d1b5b1b781cab76937538c008d9c198"),
        ("PageBlocks", "1a90c5a41399caee46519eec9b3de9815a737ab0bb99dcb2fa7b2d6cbb22d8d4"),
        ("landsat", "d2e151070ced2168c97af99ff5b7f2309e03db2fa214fc4886ce25b70c4898ca"),
    ],
)
def test_injected_content_is_that_of_the_release(name, expected, adbench_folder):
    assert content_hash(inject(load_adbench(name, adbench_folder))) == expected
