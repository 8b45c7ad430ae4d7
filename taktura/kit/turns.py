"""Work in several processes, of which each finishes in its turn: much is made ready at once, written one by one."""

import ctypes
import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeVar

import django
from django.conf import settings

Task = TypeVar("Task")
Result = TypeVar("Result")
LOOK = 0.005  # seconds between two looks at whose turn it is: nothing to lock, so nothing that a crash leaves locked
GRACE = 3.0  # seconds that the tasks under way have to finish when the work is called off
MOST = 8  # processes: each has a connection to the database, and they write one by one
PARENT = 1.0  # seconds between two looks at whether the process that waits for the results is still there


class Stopped(Exception):
    """A task before this one failed, or the work was called off: nothing more is to be written."""


class _Turns(NamedTuple):
    """Whose turn it is, in memory that all processes share. Only the task whose turn it is passes it on."""

    begin: "ctypes.c_longlong"
    now: "ctypes.c_longlong"
    stopped: "ctypes.c_bool"

    def wait(self, gate: "ctypes.c_longlong", place: int) -> None:
        while gate.value < place and not self.stopped.value:
            time.sleep(LOOK)
        if self.stopped.value:
            raise Stopped


class Turn:
    """A task's place among the others. Without others it never waits."""

    def __init__(self, place: int = 0, turns: _Turns | None = None) -> None:
        self._place, self._turns = place, turns

    @contextmanager
    def to_begin(self) -> Iterator[None]:
        """The block runs when all tasks before this one have left theirs.

        Rows of the database are locked in it: a task that waits to write holds only what those before it can do
        without, else they would wait for each other, and no server could see it.
        """
        if self._turns is None:
            yield
            return
        self._turns.wait(self._turns.begin, self._place)
        yield
        self._turns.begin.value = self._place + 1

    def to_write(self) -> None:
        """Wait until all tasks before this one are done."""
        if self._turns is not None:
            self._turns.wait(self._turns.now, self._place)

    def done(self) -> None:
        """Let the next one write."""
        if self._turns is not None:
            self.to_write()
            self._turns.begin.value = max(self._turns.begin.value, self._place + 1)
            self._turns.now.value = self._place + 1

    def failed(self) -> None:
        """When those before are done, stop those behind."""
        if self._turns is not None:
            with suppress(Stopped):
                self.to_write()
                self._turns.stopped.value = True


_turns: _Turns | None = None  # of a process that works


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_main() -> None:
    """Raise `RuntimeError` in a process that others started and that is still reading the program: a script that works
    outside of `if __name__ == "__main__":` would do it all again in each process."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise RuntimeError('Put the work of the script under `if __name__ == "__main__":`, then start it again.')


def in_turn(
    function: Callable[[Task, Turn], Result], tasks: Sequence[Task], *, processes: int | None = None
) -> Generator[Result, None, None]:
    """The results of `function` for each task, in order; it works at any time, but waits for its turn to write.

    Another process must be able to import the function, tasks and results must be picklable. When a task fails, those
    before it are done, none after it writes, and its error is raised here. With one process (by default there is one
    for each processor, up to `MOST`) or one task all is done in this one.
    """
    check_main()
    wanted = min(min(cores(), MOST) if processes is None else processes, len(tasks))
    if wanted <= 1:
        for task in tasks:
            yield function(task, Turn())
        return
    context = multiprocessing.get_context("spawn")  # a copy of this process would share its connections
    begin, now = (context.RawValue(ctypes.c_longlong, 0) for _ in range(2))
    turns = _Turns(begin, now, context.RawValue(ctypes.c_bool, False))
    start = (turns, {alias: dict(values) for alias, values in settings.DATABASES.items()}, os.getpid())
    with ProcessPoolExecutor(wanted, mp_context=context, initializer=_begin, initargs=start) as executor:
        try:
            others = set(multiprocessing.active_children())
            futures = [executor.submit(_work, function, place, task) for place, task in enumerate(tasks)]
            started = set(multiprocessing.active_children()) - others
            for future in futures:
                yield future.result()
        except BrokenProcessPool as error:
            raise RuntimeError(
                "A process has ended: it was killed (is there enough memory?), or could not read the program again."
                " What was finished stays: start again."
            ) from error
        except BaseException:
            turns.stopped.value = True
            executor.shutdown(wait=False, cancel_futures=True)
            wait_for([f for f in futures if not f.done()], GRACE)
            for process in started:
                process.terminate()  # one that waits for the database; the server takes back what it wrote
            raise


def _begin(turns: _Turns, databases: dict[str, Any], parent: int) -> None:
    global _turns
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that waits for the results calls the work off
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    for alias, values in databases.items():
        settings.DATABASES[alias].update(values)
    django.setup()
    _turns = turns


def _end_with(parent: int) -> None:
    """End this process when its parent was killed; the server takes back what it was writing."""
    while os.getppid() == parent:
        time.sleep(PARENT)
    os._exit(1)


def _work(function: Callable[[Any, Turn], Any], place: int, task: Any) -> Any:
    turn = Turn(place, _turns)
    try:
        result = function(task, turn)
        turn.done()
    except BaseException as error:
        turn.failed()
        raise _that_travels(error) from error
    return result


def _that_travels(error: BaseException) -> BaseException:
    """An error that the waiting process can read: itself, or what it says."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever an error's own code does
        return RuntimeError("".join(traceback.format_exception(error)))
    return error
