"""Processes whose queues carry tensors by the driver's handles: pickling does that here."""

from multiprocessing import get_context  # noqa: F401
