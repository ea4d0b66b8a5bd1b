"""Run independent tasks on several processes, in a way that can't change a result."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from twelvelead.study.cluster import run_on_cluster
from twelvelead.study.progress import Progress
from twelvelead.terms import InputError

Task = TypeVar("Task")


def run_tasks(
    function: Callable[[Task], Any],
    tasks: Sequence[Task],
    *,
    workers: int | str,
    stage: str,
    progress: Progress,
    size: Callable[[Task], int] = lambda _: 1,
    needs: Callable[[Task], Sequence[str]] = lambda _: (),
) -> None:
    """Run every task; each writes its own result to disk, so that a killed run has lost only those under way.

    Parameters
    ----------
    function : callable
        Importable from its module, since the workers are fresh processes.
    tasks : sequence
        One argument per call; the calls must not depend on each other or on their order.
    workers : int or str
        Processes, at least 1; with 1 the tasks run in this process. Or `dask=ADDRESS`, a Dask cluster.
    stage : str
        What the tasks do together, for the progress display.
    progress : Progress
        Called after each task.
    size : callable
        What a task counts for in the progress display.
    needs : callable
        The files and folders that a worker elsewhere must see to do a task.

    Raises
    ------
    InputError
        If `workers` is below 1, or the scheduler is not what it must be.
    ChildProcessError
        If a worker was killed. What was finished is kept.

    Notes
    -----
    Workers are spawned, never forked: a fork after OpenMP has started hangs. Each worker keeps to one thread; that
    neither changes a result nor lets the workers' threads wait for one another.
    """
    if isinstance(workers, int) and workers < 1:
        msg = f"workers must be at least 1; got {workers}. Give the number of processes."
        raise InputError(msg)
    total, done = sum(map(size, tasks)), 0
    progress(stage, 0, total)
    if isinstance(workers, str):
        for task in run_on_cluster(function, tasks, scheduler=workers, needs=needs):
            done += size(task)
            progress(stage, done, total)
        return
    if workers == 1 or len(tasks) < 2:
        with threadpool_limits(1):
            for task in tasks:
                function(task)
                done += size(task)
                progress(stage, done, total)
        return
    futures = {_start(workers).submit(function, task): task for task in tasks}
    try:
        for future in as_completed(futures):
            future.result()
            done += size(futures[future])
            progress(stage, done, total)
    except BrokenProcessPool as error:
        _start.cache_clear()  # whoever runs the tasks again gets new workers
        msg = f"every worker must live to its task's end; got one killed while {stage}, perhaps for want of memory. "
        msg += "Run the same again to go on from there, with fewer workers."
        raise ChildProcessError(msg) from error
    finally:
        for future in futures:
            future.cancel()


@cache
def _start(workers: int) -> ProcessPoolExecutor:
    """Start the workers, once: to import what a task needs takes longer than many a task."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin)


def _begin() -> None:
    """Make a worker ready: one thread for the work, and one that waits for the end of whoever gives the work."""
    threadpool_limits(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End with the process that started this one, even if that was killed; else two runs would do the same task."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
