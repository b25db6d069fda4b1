"""The analyses: each reads a few branches, fills one histogram, and names one number that physics knows.

The histogram's counts are the answer: the same events give the same counts on every machine.  `known` is where the number must lie
whatever the data set: a Z boson weighs 91 GeV everywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Analysis:
    """What is read, what is filled, and what must come out."""

    tree: str
    branches: tuple[str, ...] | None  # None: all of them
    axis: tuple[int, float, float]  # bins, low, high
    values: Callable[[Any], Any]  # events -> flat numbers to fill
    number: Callable[[Any], float]  # histogram -> the number
    known: tuple[float, float]
    unit: str


def _dimuon(events: Any) -> Any:
    """The invariant mass of the two leading muons of opposite charge, in GeV (CMS NanoAOD's names)."""
    import awkward as ak  # noqa: PLC0415 -- what is missing is an answer (exit 50)
    import vector  # noqa: PLC0415

    vector.register_awkward()
    muons = ak.zip(
        {part: events[f"Muon_{part}"] for part in ("pt", "eta", "phi", "mass", "charge")},
        with_name="Momentum4D",
    )
    muons = muons[(muons.pt > 3) & (abs(muons.eta) < 2.4)]
    pairs = muons[ak.num(muons) >= 2]
    first, second = pairs[:, 0], pairs[:, 1]
    opposite = first.charge != second.charge
    return (first[opposite] + second[opposite]).mass


def _electrons_jets(events: Any) -> Any:
    """The scalar sum of the momenta of good electrons and jets, in GeV (ATLAS PHYSLITE's names, MeV)."""
    import awkward as ak  # noqa: PLC0415 -- as above

    electrons = events["AnalysisElectronsAuxDyn.pt"] / 1000
    jets = events["AnalysisJetsAuxDyn.pt"] / 1000
    etas = abs(events["AnalysisElectronsAuxDyn.eta"])
    good = electrons[(electrons > 7) & (etas < 2.47) & ((etas < 1.37) | (etas > 1.52))]
    hard = jets[(jets > 20) & (abs(events["AnalysisJetsAuxDyn.eta"]) < 4.5)]
    return ak.sum(good, axis=1) + ak.sum(hard, axis=1)


def _b_to_hh(events: Any) -> Any:
    """The mass of two charged hadrons as pions, in MeV, after a cut on their identification (an LHCb-like ntuple)."""
    import vector  # noqa: PLC0415 -- as above

    pion = 139.57039  # MeV, PDG
    kept = events[(events.h1_PROBNNpi > 0.5) & (events.h2_PROBNNpi > 0.5) & (events.B_IPCHI2 < 16)]
    first, second = (
        vector.zip({"px": kept[f"{h}_PX"], "py": kept[f"{h}_PY"], "pz": kept[f"{h}_PZ"], "mass": pion * (kept[f"{h}_PX"] == kept[f"{h}_PX"])})
        for h in ("h1", "h2")
    )  # fmt: skip
    return (first + second).mass


def _every_octet(events: Any) -> Any:
    """Nothing is computed: the events are counted in one bin."""
    import numpy as np  # noqa: PLC0415 -- as above

    return np.full(len(events), 0.5)


def _peak(low: float, high: float) -> Callable[[Any], float]:
    """The mean of a histogram between two values."""

    def mean(histogram: Any) -> float:
        centers, counts = histogram.axes[0].centers, histogram.values()
        inside = (centers > low) & (centers < high)
        total = counts[inside].sum()
        return float((centers[inside] * counts[inside]).sum() / total) if total else 0.0

    return mean


ANALYSES: Mapping[str, Analysis] = {
    "dimuon": Analysis(
        "Events",
        ("Muon_pt", "Muon_eta", "Muon_phi", "Muon_mass", "Muon_charge"),
        (300, 0.0, 300.0),
        _dimuon,
        _peak(71, 111),
        (88.0, 94.0),
        "GeV",
    ),
    "electrons-jets": Analysis(
        "CollectionTree",
        (
            "AnalysisElectronsAuxDyn.pt",
            "AnalysisElectronsAuxDyn.eta",
            "AnalysisJetsAuxDyn.pt",
            "AnalysisJetsAuxDyn.eta",
        ),
        (200, 0.0, 2000.0),
        _electrons_jets,
        _peak(20, 2000),
        (20.0, 1000.0),
        "GeV",
    ),
    "b-to-hh": Analysis(
        "DecayTree",
        ("h1_PX", "h1_PY", "h1_PZ", "h1_PROBNNpi", "h2_PX", "h2_PY", "h2_PZ", "h2_PROBNNpi", "B_IPCHI2"),
        (200, 5000.0, 5800.0),
        _b_to_hh,
        _peak(5230, 5330),
        (5270.0, 5290.0),
        "MeV",
    ),
    "read": Analysis("Events", None, (1, 0.0, 1.0), _every_octet, lambda histogram: float(histogram.sum()), (0.0, float("inf")), "events"),
}  # fmt: skip
