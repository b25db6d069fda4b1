"""Runs the client command of a batch system: bounded in time and output, its failures as `EngineError`s."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from helpdesk.robots.engine import EngineError
from helpdesk.text import safe_text

MAX_OUTPUT = 50_000_000  # octets: 200,000 jobs in a line each
TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Client:
    """One client program; `passing` words in what it says mean that asking again may help."""

    environment: Mapping[str, str]
    passing: tuple[str, ...] = ()
    timeout: float = TIMEOUT

    async def ask(self, command: Sequence[str], told: bytes = b"") -> str:
        """What it prints; another exit code than 0, silence and floods are errors."""
        name = os.path.basename(command[0])  # noqa: PTH119 - a word for people, no path
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(f"{name}: {error.strerror}", passing=False) from error
        try:
            async with asyncio.timeout(self.timeout):
                code, output, said = await _talk(process, told)
        except TimeoutError as error:
            raise EngineError(f"{name} did not answer in {self.timeout:g} s", passing=True) from error
        finally:
            _end(process)
            await process.wait()
        if len(output) > MAX_OUTPUT:
            raise EngineError(f"{name} printed more than {MAX_OUTPUT} octets", passing=True)
        if code != 0:
            words = safe_text(said.decode("utf-8", "replace").strip() or f"ended with {code}", limit=300)
            killed = code < 0  # what it had asked for by then, nobody knows
            passing = killed or any(one in words.lower() for one in self.passing)
            raise EngineError(f"{name}: {words}", passing=passing)
        return output.decode("utf-8", "replace")


async def _talk(process: asyncio.subprocess.Process, told: bytes) -> tuple[int, bytes, bytes]:
    """Write, and read both outputs at once, no more than is bearable."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None

    async def write(stream: asyncio.StreamWriter) -> None:
        try:
            stream.write(told)
            await stream.drain()
            stream.close()
            await stream.wait_closed()
        except (BrokenPipeError, ConnectionResetError):
            return  # it did not want to hear it; its exit code tells

    _, output, said = await asyncio.gather(
        write(process.stdin), _read(process.stdout, MAX_OUTPUT), _read(process.stderr, 100_000)
    )
    if len(output) > MAX_OUTPUT:
        return 0, output, said
    return await process.wait(), output, said


async def _read(stream: asyncio.StreamReader, limit: int) -> bytes:
    """Everything, or a little more than the limit."""
    found = bytearray()
    while len(found) <= limit and (block := await stream.read(1 << 16)):
        found += block
    return bytes(found)


def _end(process: asyncio.subprocess.Process) -> None:
    """The program and what it started."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, 9)
        except OSError:
            return
