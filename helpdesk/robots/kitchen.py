"""From settings to what a robot works with: lanes, cocktails, recipes, engines.  Opens nothing but manifests and the popularity file."""

import csv
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine as Database

from helpdesk import secrets
from helpdesk.errors import ConfigError, UsageError
from helpdesk.robots import datasets
from helpdesk.robots.engine import Engine, EngineError, JobSpec, Limits
from helpdesk.robots.engines.arc import ArcEngine, Place
from helpdesk.robots.engines.arc_rest import Login
from helpdesk.robots.engines.command import CommandEngine
from helpdesk.robots.engines.htcondor import HTCondorEngine, asker
from helpdesk.robots.engines.local import LocalEngine
from helpdesk.robots.engines.slurm import SlurmEngine
from helpdesk.robots.outcome import Work
from helpdesk.robots.payloads import argv, pack, packed
from helpdesk.robots.record import TestKind
from helpdesk.robots.robot import Recipe, Robot
from helpdesk.robots.schedule import Lane, Mix, choose
from helpdesk.settings import Settings
from helpdesk.settings.robots import POPULAR, Arc, Dataset, HTCondor, JobTemplate, Queue

DISK = 2_000_000_000  # octets that a job may keep in its folder
MAX_POPULAR = 1_000_000  # octets of the popularity file


def robot(settings: Settings, database: Database) -> Robot:
    """The robot of a board; UsageError says what is missing."""
    folder = settings.robots.folder
    folder.mkdir(parents=True, exist_ok=True)
    payload = pack(folder.resolve() / "payload.pyz")
    return Robot(
        database=database,
        engines=engines(settings),
        recipes={one.name: _recipe(settings, one, payload) for one in settings.template},
        folder=folder / "results",
        most=settings.robots.max_on_the_way,
    )


def lanes(settings: Settings) -> tuple[Lane, ...]:
    """Every queue of every site, in the order of the configuration."""
    return tuple(
        Lane(site.name, queue.experiment, engine_of(queue), queue.queue)
        for site in settings.site
        for queue in site.queue
    )


def engine_of(queue: Queue) -> str:
    """The name of its engine: each computing element is one of its own, so that one which is down concerns nobody else."""
    return queue.engine_name


def mixes(settings: Settings) -> Mapping[Lane, Mix]:
    """What each lane gets as routine; nothing without a cocktail."""
    cocktail = next((one for one in settings.cocktail if one.name == settings.robots.cocktail), None)
    if cocktail is None:
        return {}
    experiments = {one.name: one.experiment for one in settings.template}
    rates = {one.name: one.jobs_per_day or settings.robots.jobs_per_day for one in settings.site}
    found: dict[Lane, Mix] = {}
    for lane in lanes(settings):
        weights = [
            (name, weight)
            for name, weight in cocktail.templates.items()
            if experiments[name] == lane.experiment
        ]
        if weights:
            found[lane] = Mix(tuple(sorted(weights)), rates[lane.site])
    return found


def engines(settings: Settings) -> Mapping[str, Engine]:
    """Those engines that some queue uses."""
    used = {engine_of(queue) for site in settings.site for queue in site.queue}
    robots, folder = settings.robots, settings.robots.folder
    found: dict[str, Engine] = {}
    if "local" in used:
        queues = {queue.queue for site in settings.site for queue in site.queue if queue.engine == "local"}
        found["local"] = LocalEngine(folder / "local", dict.fromkeys(queues, robots.slots))
    if "slurm" in used:
        configuration = None if robots.slurm_conf is None else str(robots.slurm_conf)
        found["slurm"] = SlurmEngine(folder / "slurm", configuration=configuration)
    if "htcondor" in used:
        found["htcondor"] = _htcondor(robots.htcondor, folder / "htcondor")
    for name in sorted(one for one in used if one.startswith("arc:")):
        found[name] = _arc(robots.arc, name.removeprefix("arc:"), folder)
    if "command" in used:
        if not robots.command:
            raise UsageError(
                'a [[site.queue]] has engine = "command": [robots] command says which programs that is'
            )
        found["command"] = CommandEngine({str(verb): words for verb, words in robots.command.items()})
    return found


def _htcondor(told: HTCondor | None, root: Path) -> Engine:
    if told is None:
        raise UsageError(
            'a [[site.queue]] has engine = "htcondor": [robots.htcondor] queues says which machines that is'
        )
    configuration = None if told.config_file is None else str(told.config_file)
    return HTCondorEngine(root, told.queues, pool=told.pool, schedd=told.schedd, ask=asker(configuration))


def _arc(told: Arc | None, queue: str, folder: Path) -> Engine:
    if told is None or queue not in told.queues:
        raise UsageError(
            f'a [[site.queue]] has engine = "arc": [robots.arc] queues says which computing element {queue!r} is'
        )
    url, _, inner = told.queues[queue].partition("#")
    login = Login(
        certificate=told.certificate_file,
        key=told.key_file,
        token=None if told.token_file is None else partial(_token, told.token_file),
        authorities=told.ca_path,
    )
    payload = folder.resolve() / "payload.pyz"
    return ArcEngine(folder / "arc", Place(queue, url, inner), login, payload=payload, python=told.python)


def _token(file: Path) -> str:
    try:
        return secrets.secret_from(file).get_secret_value()
    except ConfigError as error:
        raise EngineError(str(error), passing=False) from error


def _recipe(settings: Settings, template: JobTemplate, payload: Path) -> Recipe:
    read = partial(_dataset_of, settings, template)
    wall = template.max_wall_minutes * 60
    limits = Limits(wall, template.max_memory_mb * 1_000_000, DISK)

    def spec(job: str) -> JobSpec:
        dataset = read(job)
        return JobSpec(
            job,
            argv(
                payload,
                template.payload,
                list(map(_absolute, dataset.inputs)),
                template.access_mode,
                _expect(dataset, template),
            ),
            limits,
        )

    return Recipe(
        experiment=template.experiment,
        version=version(template),
        test_kind=TestKind.FUNCTIONAL.value,
        spec=spec,
        work=lambda job: Work(read(job).name, template.access_mode, _events(read(job), template)),
        wall=timedelta(seconds=wall),
    )


def version(template: JobTemplate) -> str:
    """A new version whenever the payload or anything in the template is another."""
    return hashlib.sha256(packed() + template.model_dump_json().encode()).hexdigest()[:8]


def _dataset_of(settings: Settings, template: JobTemplate, job: str) -> Dataset:
    by_name = {one.name: one for one in settings.dataset}
    if template.dataset != POPULAR:
        return by_name[template.dataset]
    suited = {name: one for name, one in by_name.items() if _suits(one, template)}
    weights = {**{name: float(one.popularity) for name, one in suited.items()}, **_popular(settings, suited)}
    try:
        return suited[choose(weights, job)]
    except ValueError as error:
        raise UsageError(f"[[template]] {template.name}: {error}") from error


def _popular(settings: Settings, suited: Mapping[str, Dataset]) -> dict[str, float]:
    """The operator's file, as it is now; a row that makes no sense is passed over, and so is a file that cannot be read."""
    path = settings.robots.popular_file
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= MAX_POPULAR else ""
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, float] = {}
    for row in csv.DictReader(text.splitlines()):
        weight = (row.get("weight") or "").strip()
        if row.get("dataset") in suited and weight.replace(".", "", 1).isdigit():
            found[str(row["dataset"])] = float(weight)
    return found


def _suits(dataset: Dataset, template: JobTemplate) -> bool:
    """Whether this analysis has a right answer in that data set; one without a manifest may suit anything."""
    try:
        return template.payload in datasets.read_manifest(_first(dataset), dataset.manifest).answers
    except UsageError:
        return False


def _expect(dataset: Dataset, template: JobTemplate) -> dict[str, object]:
    """What must come out; nothing is expected of a data set without a manifest, or of several files."""
    if len(dataset.inputs) != 1:
        return {}
    try:
        manifest = datasets.read_manifest(_first(dataset), dataset.manifest)
    except UsageError:
        return {}
    answer = manifest.answers.get(template.payload)
    return {"events": manifest.events, **({"checksum": answer} if answer else {})}


def _events(dataset: Dataset, template: JobTemplate) -> int | None:
    events = _expect(dataset, template).get("events")
    return events if isinstance(events, int) else None


def _first(dataset: Dataset) -> Path:
    return Path(dataset.inputs[0])


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place).resolve())
