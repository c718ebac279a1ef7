"""What a process and all that it started have used: CPU seconds, and memory."""

from dataclasses import dataclass

import psutil

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Use:
    cpu: float
    megabytes: float


def use(pid: int) -> Use:
    """Of the process and its descendants, those that have ended included; memory is resident, so that what two share
    counts twice.
    """
    cpu = memory = 0.0
    root = psutil.Process(pid)
    for each in [root, *root.children(recursive=True)]:
        try:
            cpu += sum(each.cpu_times()[:4])
            memory += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return Use(cpu, memory / MEGABYTE)


def resident_megabytes(pid: int) -> int:
    return round(int(psutil.Process(pid).memory_info().rss) / MEGABYTE)
