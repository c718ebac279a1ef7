"""Logs as the proxy does: its own loggers have handlers, the root logger has none, which shows warnings only."""

import logging


def log_like_litellm(logger: logging.Logger, level: int) -> None:
    import litellm
    from litellm._logging import JsonFormatter

    json_logs: bool = litellm.json_logs  # type: ignore[attr-defined]
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonFormatter() if json_logs else logging.Formatter(logging.BASIC_FORMAT)  # type: ignore[no-untyped-call]
    )
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
