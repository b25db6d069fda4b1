"""A real analysis through the engine arc: the payload travels, the data are read over HTTP, and the record is as of any other job."""

from pathlib import Path

import pytest

from tests.desk import memory_desk
from tests.servers import arex, file_server

MORE = """
[[site]]
name = "DESY-HH"
[[site.queue]]
experiment = "atlas"
engine = "arc"
queue = "desy"
[[dataset]]
name = "zpairs"
inputs = ["{url}/data/zpairs.csv"]
manifest = "zpairs.csv.json"
[[template]]
name = "pairs"
experiment = "atlas"
payload = "pairs"
dataset = "zpairs"
[robots]
folder = "robots"
arc.queues = {{ desy = "{element}#grid" }}
arc.certificate_file = "{proxy}"
arc.ca_path = "{ca}"
"""


def test_an_analysis_far_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`robots run` sends an analysis to a computing element, whose job knows nothing of our machine and finds the right answer."""
    desk = memory_desk(tmp_path, monkeypatch)
    desk.write_config()
    desk.read("robots", "data", "zpairs", "--events", "500", "--to", str(desk.folder / "zpairs.csv"))
    with file_server.serve(desk.folder) as url, arex.computing_element() as element:
        proxy, authority = arex.credential(element, tmp_path), arex.trusted(element, tmp_path)
        desk.write_config(more=MORE.format(url=url, element=element.url, proxy=proxy, ca=authority))
        [record] = desk.read("robots", "run", "--site", "DESY-HH")
        left = element.jobs
    assert (record["state"], record["events_processed"], record["engine"]) == ("success", 500, "arc:desy")
    assert record["node"]
    assert left == {}  # recorded, so it was cleaned
