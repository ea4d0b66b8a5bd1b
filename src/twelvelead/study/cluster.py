"""Run independent tasks on a Dask cluster; only what starts them differs from the processes of one machine."""

import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from twelvelead.study.versions import code_digest
from twelvelead.terms import InputError, MissingExtra

Task = TypeVar("Task")

KIND = "dask="
PATIENCE_S = 30


def run_on_cluster(
    function: Callable[[Task], Any],
    tasks: Sequence[Task],
    *,
    scheduler: str,
    needs: Callable[[Task], Sequence[str]],
) -> Iterator[Task]:
    """Run every task on the cluster's workers; each writes its own result where this machine sees it.

    Parameters
    ----------
    function : callable
        Importable from its module.
    tasks : sequence
        One argument per call.
    scheduler : str
        `dask=ADDRESS`, as in dask=tcp://10.0.0.1:8786.
    needs : callable
        The files and folders that a worker must see to do a task.

    Yields
    ------
    task
        Each that is done, as it is done.

    Raises
    ------
    InputError
        If the scheduler is of another kind or does not answer, or a worker does not see the files or runs another
        version of this package.
    MissingExtra
        If Dask is not installed.
    ChildProcessError
        If workers die of a task.
    """
    if not scheduler.startswith(KIND):
        msg = f"scheduler must be {KIND}ADDRESS, as in {KIND}tcp://10.0.0.1:8786; got {scheduler!r}. Name one so."
        raise InputError(msg)
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError:
        msg = "a Dask cluster needs the package distributed; got none. Run: pip install 'twelvelead[scale]'"
        raise MissingExtra(msg) from None
    address = scheduler.removeprefix(KIND)
    try:
        client = Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        msg = f"a Dask scheduler must answer at {address!r}; got {str(error) or type(error).__name__}. "
        msg += "Check the address, and that it runs."
        raise InputError(msg) from error
    with client:
        futures = {
            client.submit(_run_there, function, task, tuple(needs(task)), code_digest(), pure=False): task
            for task in tasks
        }
        try:
            for future in as_completed(futures, loop=client.loop):
                future.result()
                yield futures[future]
        except KilledWorker as error:
            msg = (
                "every worker must live to its task's end; got several killed by one task, perhaps for want of memory. "
            )
            msg += "Run the same again to go on from there, with more memory for each worker."
            raise ChildProcessError(msg) from error
        finally:
            client.cancel(list(futures))


def _run_there(function: Callable[[Task], Any], task: Task, needed: Sequence[str], code: str) -> None:
    """Run a task on a worker, if it is the worker for it."""
    if code_digest() != code:
        msg = f"workers must run the version of who gives them work; got another on {socket.gethostname()}. "
        msg += "Install the same there."
        raise InputError(msg)
    missing = [path for path in needed if not Path(path).exists()]
    if missing:
        msg = f"a worker must see the files of its task; got {len(missing)} of {len(needed)} missing on "
        msg += f"{socket.gethostname()}, first {missing[0]!r}. Mount the folder there under the same path."
        raise InputError(msg)
    with threadpool_limits(1):
        function(task)
