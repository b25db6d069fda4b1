"""Who takes part: people, their addresses, and the places that they talk about."""

from dataclasses import dataclass
from email.headerregistry import Address

BOARD = "dast-board@example.org"
MEMBERS = "dast@lists.example.org"
"""The mailing list."""

LOGIN, PASSWORD = "dast", "demo"
"""Of a server that lives for some minutes, on this machine only."""
ARCHIVE, SENT = "Archive", "Sent"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an address."""

    name: str
    address: str

    @property
    def mailbox(self) -> Address:
        """For a header."""
        return Address(self.name, addr_spec=self.address)

    @property
    def first_name(self) -> str:
        """As the team calls them."""
        return self.name.partition(" ")[0]


CONTACT = Person("Dieter Dahl", "dieter.dahl@desy.example")
"""Answers for DESY-HH."""
SHIFTERS = (
    Person("Aiden Archer", "aiden@example.org"),
    Person("Sergey Stone", "sergey@example.org"),
    Person("Alden Alvarez", "alden@example.org"),
)
EXPERTS = {
    "GGUS": Person("GGUS", "helpdesk@ggus.example.net"),
    "Gil Gomez": Person("Gil Gomez", "gil@ganga.example.net"),
    "monitoring": Person("Nagios", "nagios@monitoring.example.net"),
}
USERS = tuple(
    Person(name, f"{address}.example")
    for name, address in (
        ("Ann Lindqvist", "ann@physics.uni-nord"),
        ("Bob Iyer", "bob.iyer@tifr"),
        ("Carla Rossi", "carla@fisica.uni-sud"),
        ("Cy Young", "cyoung@lab-west"),
        ("Dee Okafor", "dee@hep.uni-lagos"),
        ("Emil Nowak", "emil@agh"),
        ("Françoise Petit", "fpetit@in2p3"),
        ("Hana Sato", "hana@kek"),
        ("Ivo Horvat", "ivo@irb"),
        ("Jörg Müller", "joerg@physik.uni-ost"),
        ("Kim Larsen", "kim@nbi"),
        ("Lucía Vega", "lvega@ific"),
        ("Mei Chen", "mei@sinica"),
        ("Noa Levi", "noa@weizmann"),
    )
)
SITES = ("PIC", "RAL", "NDGF", "LYON", "ASGC", "SARA", "BNL", "GLASGOW", "LRZ", "CNAF", "IFIC", "TOKYO")
"""What users talk about; the sites with test jobs are those of `helpdesk.demo.grid`."""
DATASETS = (
    "data08_cosmag.00091900",
    "user09.Higgs4l.v3",
    "valid1.005200.T1_McAtNlo",
    "group09.SUSY.D3PD",
    "fdr08_run2.0052280",
)
