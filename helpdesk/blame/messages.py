"""A few messages of systems and grid services that say what broke, whatever program prints them: class, phase, whose it most likely is.

Only those that say one thing.  "No such file or directory", "permission denied" and "out of memory" are none: anybody's code says that.
"""

from helpdesk.robots.codes import Meaning
from helpdesk.robots.record import Blame, Phase

_NETWORK = Meaning("network", None, Blame.SITE, "the network")
_NODE = Meaning("node", None, Blame.SITE, "the node")
_PROXY = Meaning("auth", Phase.AUTH, Blame.USER, "the user's own credential")

MESSAGES: dict[str, Meaning] = {
    "connection refused": _NETWORK,
    "connection reset by peer": _NETWORK,
    "connection timed out": _NETWORK,
    "communication error on send": _NETWORK,
    "no route to host": _NETWORK,
    "host is unreachable": _NETWORK,
    "network is unreachable": _NETWORK,
    "stale file handle": _NODE,
    "stale nfs file handle": _NODE,
    "read-only file system": _NODE,
    "input/output error": _NODE,
    "no space left on device": Meaning("no_space", None, Blame.SITE, "a full disk"),
    "srm_no_free_space": Meaning("no_space", Phase.STAGE_OUT, Blame.SITE, "a full storage"),
    "put error: error in copying the file": Meaning(
        "stage_out", Phase.STAGE_OUT, Blame.SITE, "a failed stage-out"
    ),
    "failed to stage-out file": Meaning("stage_out", Phase.STAGE_OUT, Blame.SITE, "a failed stage-out"),
    "generalstageoutfailure": Meaning("stage_out", Phase.STAGE_OUT, Blame.SITE, "a failed stage-out"),
    "failed to stage-in file": Meaning("stage_in", Phase.STAGE_IN, Blame.SITE, "a failed stage-in"),
    "get error: staging input file failed": Meaning(
        "stage_in", Phase.STAGE_IN, Blame.SITE, "a failed stage-in"
    ),
    "srm_file_lost": Meaning("no_replica", Phase.STAGE_IN, Blame.SITE, "a lost file"),
    "srm_file_unavailable": Meaning("no_replica", Phase.STAGE_IN, Blame.SITE, "a file that is not there"),
    "transport endpoint is not connected": Meaning("software", Phase.ENVIRONMENT, Blame.SITE, "a lost mount"),
    "proxy has expired": _PROXY,
    "proxy expired": _PROXY,
    "certificate has expired": _PROXY,
    "certificate expired": _PROXY,
    "credentials have expired": _PROXY,
    "credential expired": _PROXY,
}
