"""The tales of the slow scenes, and what breaks at sites."""

from helpdesk.demo.acts import Breaks, Plays, Says
from helpdesk.demo.tale import DONE, WAIT, Tale

SCENES = (
    Tale(
        "scene 1", 2, 14.5, "Which site has {dataset}?",
        (
            (0, Says("user", "dq2-list-dataset-replicas names three sites, brokering finds none.")),
            (0.7, Says("shifter", "One of them is back since noon. Does it work for you now?")),
            (0.7, WAIT),
            (20, Plays(1)),
        ),
    ),
    Tale(
        "scene 2", 4, 9.0, "Merge jobs exceed the memory limit",
        (
            (0, Says("user", "Merging 200 files is killed at {site}: 2 GB of memory.")),
            (0.7, Says("shifter", "Merge in two steps, of 20 files each.")),
            (2.0, Says("user", "And how do I tell Ganga?")),
            (2.6, Says("shifter", "SmartMerger has an option for that, see the attached lines.")),
            (25, Plays(2)),
        ),
    ),
    Tale("scene 3", 9, 22.0, "", ((0, Plays(3)),)),
    Tale(
        "scene 4", 12, 8.2, "Stage-in of {dataset} times out",
        (
            (0, Says("user", "One of forty subjobs fails at {site}, always with the same file.")),
            (2.0, Plays(4)),
        ),
    ),
    Tale(
        "scene 5", 13, 6.0, "All my jobs at DESY-HH fail",
        (
            (0, Plays(5)),
            (6, Says("user", "Now they run again, thank you!")),
            (7, DONE),
        ),
        user="Ann Lindqvist",
    ),
)  # fmt: skip
"""The threads that the slow scenes are played with."""

FAULTS = (
    Tale("answer", 5, 5.0, "", ((0, Breaks("FZK-LCG2", "one answer")),)),
    Tale("node", 7, 5.0, "", ((0, Breaks("TRIUMF", "a node")),)),
)
"""What breaks at sites besides, and puts none of them out."""
