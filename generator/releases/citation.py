"""How to cite a release."""

import yaml

from .spec import Release

CITATION = "CITATION.cff"


def citation(release: Release) -> str:
    """Return the release's citation in the Citation File Format 1.2.0 (citation-file-format.github.io)."""
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite them as below.",
        "type": "dataset",
        "title": title(release),
        "abstract": release.description,
        "version": release.version,
        "date-released": release.date,
        "license": release.licence,
        "authors": [{"name": author} for author in release.authors],
    }
    if release.url is not None:
        fields["url"] = release.url
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)


def bibtex(release: Release) -> str:
    """Return the release's citation in BibTeX."""
    authors = " and ".join(f"{{{author}}}" for author in release.authors)
    return (
        f"@misc{{xadbench-{release.name}, author = {{{authors}}}, title = {{{title(release)}}}, "
        f"version = {{{release.version}}}, year = {{{release.date.year}}}}}"
    )


def title(release: Release) -> str:
    """Return what the release is called in print."""
    return f"XADBench {release.name}: tables of anomalies with known ground truth"
