"""A release's datasheet: how it was made, what it is for, and what it cannot tell."""

import html
from collections.abc import Mapping

import pandas as pd

from xadbench import __version__
from xadbench.datasets.common.rendering import as_markdown, code
from xadbench.generator.recipe import Recipe

from .licences import LICENCES, source_licence
from .manifest import TableRecord
from .spec import Entry, Release

DATASHEET = "DATASHEET.md"

TEMPLATE = """\
# {name} {version}

{description}

Published {date} under {licence}; made by xadbench {xadbench}. Cite it as `CITATION.cff` says.

## What is in it

{tables}

Each table is a folder: `samples.parquet` (features, `y` = anomalous or not, `kind` = 0 for normal rows,
otherwise an index into the kinds in `table.json`), `mask.parquet` (the ground-truth features of each row),
`clean.parquet` (the same rows as they would have been without the anomaly) and `table.json` (kinds,
provenance, content hash). `xadbench.datasets.read_table` reads and checks one; `mlcroissant` loads them all
through `croissant.json`.

## How it was made

{how}

The file beside the tables (`recipe.yaml` or `injection.yaml`) and the seed determine a table bit for bit.
The one exception is what goes through a fitted Gaussian mixture (base `gmm`, and the kind `cluster` on real
rows), which repeats on one installation. `xadbench release verify` checks the SHA-256 of every file, makes
the tables again and compares.

## Audit

{audit}

## Licences

The tables: {licence}. Their sources (full text in `{licences}`):

{sources}

## Intended use

To evaluate explainers of anomaly detectors: does an explanation of an anomalous row rank the features in
its mask first? Compare each figure with its chance level (for nDCG_m and Acc_m the share of ground-truth
features among the features), and with what the marginal |z| and, where the network is known, the oracle
achieve. To evaluate detectors is a by-use: the kinds are artificial, and a detector's rank here need not be
its rank on real anomalies.

Not for conclusions about the people or things behind the rows: every anomaly here is made up.

## Known limits

{limits}
"""

LIMITS = """\
- The truth is what was changed. Other features may tell as much about the row, and an explainer that names
  them scores as wrong.
- In rows of the kind `cluster` every feature is a ground-truth feature, and every explainer is right. Leave
  them out of
  averages.
- The paper's recipes (`table2-*`) reward extreme margins: |z| alone beats published explainers on them. They
  are here for comparison with the paper.
- Simulated features follow additive noise networks of a few families; real tables are less tidy. In the
  recipes `clusters-*` the regime is a feature of the table; in `noisy-*` nobody can find half of the truth.
- Injected rows start from rows called normal in the source; what the source mislabels stays in."""


def datasheet(release: Release, records: Mapping[str, TableRecord], audits: Mapping[str, str]) -> str:
    """Return the datasheet of a release in Markdown.

    Parameters
    ----------
    release
        The release.
    records
        Its tables by folder.
    audits
        For each entry's folder, its audit in Markdown; where there is none, the datasheet says so.
    """
    return TEMPLATE.format(
        name=release.name,
        version=release.version,
        description=html.escape(release.description, quote=False),
        date=release.date.isoformat(),
        licence=release.licence,
        xadbench=__version__,
        tables=_table(release, records),
        how="\n".join(f"- `{entry.folder}`: {_how(entry)}" for entry in release.tables),
        audit="\n\n".join(_audit(entry, audits) for entry in release.tables),
        licences=LICENCES,
        sources="\n".join(f"- `{entry.folder}`: {_source(entry)}." for entry in release.tables),
        limits=LIMITS,
    )


def _table(release: Release, records: Mapping[str, TableRecord]) -> str:
    rows = []
    for entry in release.tables:
        record, seeds = records[entry.tables[0]], ", ".join(map(str, entry.seeds))
        made = f"{len(entry.seeds)} ({seeds})"
        rows.append((code(entry.folder), made, record.rows, record.features, record.anomalies))
    columns = ["folder", "tables (seeds)", "rows", "features", "anomalies"]
    return as_markdown(pd.DataFrame(rows, columns=columns), ["folder"])


def _how(entry: Entry) -> str:
    source = entry.source
    if isinstance(source, Recipe):
        kinds = ", ".join(kind.kind for kind in source.anomalies)
        size = f"{source.graph.nodes} features and {source.graph.edges} edges"
        return f"simulated from a random additive noise network of {size}; kinds of anomaly: {kinds}."
    kinds = ", ".join(kind.kind for kind in source.kinds)
    base = "normal rows" if source.base == "rows" else "rows of a Gaussian mixture fitted to the normal rows"
    return f"anomalies injected into {code(source.dataset)}, {base}; kinds of anomaly: {kinds}."


def _audit(entry: Entry, audits: Mapping[str, str]) -> str:
    text = audits.get(entry.folder, "Not audited in this build.")
    return f"### {entry.folder}\n\n{text.strip()}"


def _source(entry: Entry) -> str:
    return "simulated, no source" if entry.inject is None else source_licence(entry.inject)
