"""What a detector is, and the detectors that a suite can name."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

from xadbench.datasets.common.errors import InputError
from xadbench.evaluation.components.protocols import DETECTOR_METHODS, VersionedDetector
from xadbench.evaluation.components.registry import Entry, Factory, Kind, factory_of, keywords, make


def _pyod(module: str, model: str, **fixed: Any) -> Factory[VersionedDetector]:
    return _under_our_convention(getattr(import_module(f"pyod.models.{module}"), model), **fixed)


def _under_our_convention(model: type, **fixed: Any) -> Factory[VersionedDetector]:
    from xadbench.dsil.networks.seeding import globally_seeded  # noqa: PLC0415  # torch takes a second to import

    from .pyod_adaptor import PyODDetector  # noqa: PLC0415  # as above

    inner = factory_of(model, **fixed)

    def build(random_state: int, **params: Any) -> VersionedDetector:
        with globally_seeded(random_state):  # DeepSVDD seeds torch as it is made
            return PyODDetector(inner.build(random_state, **params), random_state)

    return Factory(build, inner.accepts)


def _feature_bagging() -> Factory[VersionedDetector]:
    try:
        return _pyod("feature_bagging", "FeatureBagging")
    except ImportError as error:
        raise InputError(
            f"detector feature_bagging needs PyOD's extra: pip install pyod[combo] ({error})"
        ) from None


def _vae() -> Factory[VersionedDetector]:
    from .vae import MeanVAE  # noqa: PLC0415  # torch takes a second to import

    return _under_our_convention(MeanVAE, verbose=0)


def _own(name: str, **fixed: Any) -> Factory[VersionedDetector]:
    return factory_of(getattr(import_module("xadbench.dsil"), name), **fixed)


def _over_dte(name: str, retention: str | None = None) -> Factory[VersionedDetector]:
    """Return the factory of a wrapper over DTE-categorical: takes the wrapper's parameters, and DTE's.

    `epochs` are DTE's. A retention's own parameters, such as `r` of "fixed", replace the paper's ratios.
    Instead of DTE's parameters, `base` may name another detector, and `base_params` its parameters.
    """
    from xadbench import dsil  # noqa: PLC0415  # torch takes a second to import
    from xadbench.dsil.detectors.retention import RETENTIONS  # noqa: PLC0415  # as above

    wrapper, dte = getattr(dsil, name), factory_of(dsil.DTE, method="categorical")
    own = keywords(wrapper) - {"base", "retention", "epochs", "random_state"}
    schedule = keywords(type(RETENTIONS[retention])) if retention else frozenset[str]()

    def build(
        random_state: int, *, base: str = "", base_params: Mapping[str, Any] | None = None, **params: Any
    ) -> VersionedDetector:
        mine, ratios = _chosen(params, own), _chosen(params, schedule)
        of_base = _chosen(params, dte.accepts - own)
        if of_base and base:
            raise InputError(f"{', '.join(of_base)}: of dte, but base is {base!r}; expected base_params")
        if base_params and not base:
            raise InputError("base_params without base; expected the name of a detector")
        if retention:
            mine["retention"] = type(RETENTIONS[retention])(**ratios) if ratios else retention
        if base:
            inner = make_detector(base, random_state=random_state, **(base_params or {}))
        else:
            inner = dte.build(random_state, **of_base)
        detector: VersionedDetector = wrapper(inner, random_state=random_state, **mine)
        return detector

    return Factory(build, dte.accepts | own | schedule | {"base", "base_params"})


def _chosen(params: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name in names}


DETECTORS: dict[str, Entry[VersionedDetector]] = {
    "dsil_fixed": Entry(
        "DSIL over DTE-categorical, keeps the same share each time", partial(_over_dte, "DSIL", "fixed")
    ),
    "dsil_cosine": Entry(
        "DSIL over DTE-categorical, share falls as a cosine", partial(_over_dte, "DSIL", "cosine")
    ),
    "dsil_exponential": Entry(
        "DSIL over DTE-categorical, share falls exponentially", partial(_over_dte, "DSIL", "exponential")
    ),
    "dsil_tuned": Entry(
        "DSIL over distances to neighbours and tails of features, averaged", partial(_own, "Ensemble")
    ),
    "dte": Entry(
        "diffusion time estimation, trained on all rows", partial(_own, "DTE", method="categorical")
    ),
    "dte_inverse_gamma": Entry(
        "the same, estimating an inverse gamma instead of bins", partial(_own, "DTE", method="inverse_gamma")
    ),
    "dte_non_parametric": Entry(
        "diffusion time by nearest neighbours, without training", partial(_own, "DTENonParametric")
    ),
    "dte_weighted": Entry(
        "DTE-categorical that weighs rows by their scores", partial(_over_dte, "WeightedLoss")
    ),
    "gaussian": Entry("Mahalanobis distance on a shrunk covariance", partial(_own, "Gaussian")),
    "ddpm": Entry("reconstruction by a diffusion model", partial(_own, "DDPM")),
    "iforest": Entry("isolation forest (PyOD)", partial(_pyod, "iforest", "IForest")),
    "knn": Entry(
        "distance to the k-th neighbour, itself included (PyOD)",
        partial(_pyod, "knn", "KNN"),
    ),
    "lof": Entry("local outlier factor (PyOD)", partial(_pyod, "lof", "LOF")),
    "mcd": Entry("robust Mahalanobis distance (PyOD)", partial(_pyod, "mcd", "MCD")),
    "ecod": Entry("tails of each feature's distribution (PyOD)", partial(_pyod, "ecod", "ECOD")),
    "copod": Entry("tails of an empirical copula (PyOD)", partial(_pyod, "copod", "COPOD")),
    "hbos": Entry("histograms of each feature (PyOD)", partial(_pyod, "hbos", "HBOS")),
    "pca": Entry("distance along principal components (PyOD)", partial(_pyod, "pca", "PCA")),
    "ocsvm": Entry("one-class support vector machine (PyOD)", partial(_pyod, "ocsvm", "OCSVM")),
    "cblof": Entry("distance to the next large cluster (PyOD)", partial(_pyod, "cblof", "CBLOF")),
    "loda": Entry("histograms of random projections (PyOD)", partial(_pyod, "loda", "LODA")),
    "feature_bagging": Entry("LOF on random subsets of features (PyOD, combo)", _feature_bagging),
    "deep_svdd": Entry(
        "distance to a learned centre (PyOD)",
        partial(_pyod, "deep_svdd", "DeepSVDD", verbose=0, n_features=1),
    ),
    "vae": Entry("reconstruction from the mean of a variational autoencoder (PyOD)", _vae),
}


def detector_factory(cls: Any) -> Factory[VersionedDetector]:
    """Return the factory of a class of detectors; a model of PyOD's is made to keep our convention.

    Raises
    ------
    InputError
        For what is no such class, or scores as scikit-learn does: higher for normal rows.
    """
    if not isinstance(cls, type):
        raise InputError(
            f"expected a class with {' and '.join(DETECTOR_METHODS)}, not an object of {type(cls).__name__}"
        )
    methods = {method: getattr(cls, method, None) for method in DETECTOR_METHODS}
    if lacking := [name for name, method in methods.items() if not callable(method)]:
        raise InputError(f"{cls.__name__} is not a detector: it lacks {', '.join(lacking)}")
    if any(base.__module__.startswith("pyod.") for base in cls.__mro__):
        return _under_our_convention(cls)
    if str(getattr(methods["decision_function"], "__module__", "")).startswith("sklearn."):
        raise InputError(
            f"{cls.__name__} scores normal rows higher, as scikit-learn does; expected higher for anomalous "
            "ones: name a subclass whose decision_function returns the negative"
        )
    return factory_of(cls)


KIND = Kind(
    "detector",
    "xadbench.detectors",
    DETECTORS,
    detector_factory,
    detector_factory,
    frozenset({"oracle", "network_density"}),
)


def make_detector(made_from: str | type[Any], /, *, random_state: int, **params: Any) -> VersionedDetector:
    """Make an unfitted detector.

    Parameters
    ----------
    made_from
        A key of `DETECTORS`; the name of an installed plug-in; or a class of your own, as
        "package.module:Name" or "path/to/file.py:name", by the convention of `Detector` or a model of PyOD's.
        Or such a class itself.
    random_state
        Seed, at least 0.
    **params
        Parameters of the detector; for `dsil_*` and `dte_weighted`, those of the wrapper and of its base DTE
        (`epochs` are DTE's), and for `dsil_*` those of the retention too: `r`, or `start` and `end`; or, for
        another base than DTE, `base`, named likewise, and `base_params`.

    Raises
    ------
    InputError
        If the name or a parameter is unknown; the message names the known ones. If what it names cannot be
        imported, or is no detector.

    Examples
    --------
    >>> from xadbench.evaluation.detectors import make_detector
    >>> make_detector("iforest", random_state=0, n_estimators=50).get_params()["model__n_estimators"]
    50
    """
    return make(KIND, made_from, random_state, params)
