"""Several processes, each of which writes in its turn."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from taktura.core.errors import Refused
from taktura.kit import turns
from taktura.kit.turns import Turn, cores, in_turn

SLOW = 0.2
PATIENCE = 120.0  # seconds; a busy machine is slow


def note(file: Path, task: int, turn: Turn) -> tuple[int, int]:
    """Write the task's number in its turn; the earlier ones take longest to get ready."""
    time.sleep(max(0.0, SLOW - task * SLOW / 4))
    turn.to_write()
    with file.open("a") as out:
        out.write(f"{task}\n")
    return task, os.getpid()


def fail_at(file: Path, bad: int, task: int, turn: Turn) -> int:
    """Write as above, but for one task, which is refused at once."""
    if task == bad:
        raise Refused("invalid", "Task %(task)s is no good.", task=task)
    note(file, task, turn)
    return task


def die_at(bad: int, task: int, turn: Turn) -> int:
    """Be killed in one of the tasks."""
    if task == bad:
        os.kill(os.getpid(), signal.SIGKILL)
    turn.to_write()
    return task


def written(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def together(folder: Path, processes: int, task: int, turn: Turn) -> tuple[int, int]:
    """As `note`, but no task gets ready before as many processes as are wanted have begun one: a slow machine starts
    them so late that the first could do it all."""
    (folder / str(os.getpid())).touch()
    assert _within(lambda: len(list(folder.iterdir())) >= processes), "not all processes began"
    return note(folder.with_suffix(".order"), task, turn)


@pytest.mark.parametrize("processes", [1, 3])
def test_results_and_writing_are_in_order(tmp_path: Path, processes: int) -> None:
    (folder := tmp_path / "pids").mkdir()
    results = list(in_turn(partial(together, folder, processes), range(7), processes=processes))
    assert [task for task, _ in results] == written(folder.with_suffix(".order")) == list(range(7))
    others = {pid for _, pid in results} - {os.getpid()}
    assert len(others) == (0 if processes == 1 else 3)


def test_one_task_stays_in_this_process(tmp_path: Path) -> None:
    assert list(in_turn(partial(note, tmp_path / "order"), [5])) == [(5, os.getpid())]
    assert list(in_turn(partial(note, tmp_path / "order"), [])) == []
    assert cores() >= 1


@pytest.mark.parametrize("processes", [1, 3])
def test_after_a_task_that_fails_none_writes_and_those_before_are_done(tmp_path: Path, processes: int) -> None:
    file, results = tmp_path / "order", []
    with pytest.raises(Refused) as refused:
        for result in in_turn(partial(fail_at, file, 3), range(8), processes=processes):
            results.append(result)
    assert (refused.value.code, str(refused.value)) == ("invalid", "Task 3 is no good.")
    assert (refused.value.text, refused.value.values) == ("Task %(task)s is no good.", {"task": 3})
    assert results == written(file) == [0, 1, 2]


def test_who_stops_listening_calls_the_rest_off(tmp_path: Path) -> None:
    file = tmp_path / "order"
    going = in_turn(partial(note, file), range(50), processes=2)
    next(going)
    going.close()  # type: ignore[attr-defined]
    done = written(file)
    assert 1 <= len(done) < 50
    time.sleep(SLOW)
    assert written(file) == done


def test_a_process_that_is_killed_is_told() -> None:
    with pytest.raises(RuntimeError, match="killed"):
        list(in_turn(partial(die_at, 2), range(20), processes=2))


def begin(file: Path, task: int, turn: Turn) -> None:
    """Say when the task begins and when it writes; the first takes long to begin, the others to write."""
    if task == 0:
        time.sleep(SLOW)
    with turn.to_begin():
        note_down(file, "begin", task)
    turn.to_write()
    note_down(file, "write", task)


def note_down(file: Path, *words: object) -> None:
    with file.open("a") as out:
        out.write(" ".join(map(str, words)) + "\n")


def test_tasks_begin_in_order_too(tmp_path: Path) -> None:
    file = tmp_path / "order"
    list(in_turn(partial(begin, file), range(6), processes=3))
    lines = file.read_text().splitlines()
    for word in ("begin", "write"):
        assert [line for line in lines if line.startswith(word)] == [f"{word} {n}" for n in range(6)]
    assert lines.index("begin 1") < lines.index("write 1")


def write_only(file: Path, task: int, turn: Turn) -> int:
    """Some tasks have nothing to begin with."""
    if task % 2:
        with turn.to_begin():
            note_down(file, task)
    return task


def test_a_task_that_does_not_begin_holds_nobody_up(tmp_path: Path) -> None:
    assert list(in_turn(partial(write_only, tmp_path / "order"), range(6), processes=2)) == list(range(6))
    assert written(tmp_path / "order") == [1, 3, 5]


class Stubborn(Exception):
    """An error that no other process can read."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


def be_stubborn(task: int, turn: Turn) -> None:
    """Fail so."""
    raise Stubborn("a line is missing", "here")


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    with pytest.raises(RuntimeError, match="Stubborn: a line is missing"):
        list(in_turn(be_stubborn, range(3), processes=2))


def sleep_long(task: int, turn: Turn) -> None:
    """Wait for something that does not come."""
    if task:
        time.sleep(10 * PATIENCE)


def test_who_waits_for_something_else_is_ended_when_the_work_is_called_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "GRACE", SLOW)
    going = in_turn(sleep_long, range(5), processes=2)
    next(going)
    begun = time.monotonic()
    going.close()  # type: ignore[attr-defined]
    assert time.monotonic() - begun < PATIENCE


UNGUARDED = """
import sys
sys.path[:0] = [{here!r}]
from pathlib import Path
from functools import partial
from taktura.kit.turns import in_turn
import test_turns
Path({file!r}).open("a").write("x")
list(in_turn(partial(test_turns.write_only, Path({file!r} + ".out")), range(4), processes=2))
"""


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    script, file = tmp_path / "unguarded.py", tmp_path / "file"
    script.write_text(UNGUARDED.format(here=str(Path(__file__).parent), file=str(file)))
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "taktura.config.settings"}
    ran = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=3 * PATIENCE
    )
    assert ran.returncode != 0
    assert '__name__ == "__main__"' in ran.stderr
    assert not Path(f"{file}.out").exists()


PARENT = """
import sys, time
from pathlib import Path
sys.path[:0] = [{here!r}]
from taktura.kit.database import setup
from taktura.kit.turns import in_turn
import test_turns
if __name__ == "__main__":
    list(in_turn(test_turns.tell_and_sleep, [Path({folder!r})] * 2, processes=2))
"""


def tell_and_sleep(folder: Path, turn: Turn) -> None:
    """Say who works, then work for as long as nobody ends it."""
    (folder / str(os.getpid())).touch()
    time.sleep(10 * PATIENCE)


def test_processes_end_when_the_one_that_waits_is_killed(tmp_path: Path) -> None:
    script, folder = tmp_path / "parent.py", tmp_path / "pids"
    folder.mkdir()
    script.write_text(PARENT.format(here=str(Path(__file__).parent), folder=str(folder)))
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "taktura.config.settings"}
    with subprocess.Popen([sys.executable, str(script)], env=environment, stderr=subprocess.DEVNULL) as parent:
        assert _within(lambda: len(list(folder.iterdir())) == 2), "they began"
        parent.kill()
    pids = [int(p.name) for p in folder.iterdir()]
    assert _within(lambda: not any(_runs(pid) for pid in pids)), "they ended"


def _within(condition) -> bool:  # type: ignore[no-untyped-def]
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
