"""What is logged when something goes wrong unexpectedly."""

import logging
import logging.config

from config.logs import logging_config


def test_a_traceback_shows_no_local_variables(capsys):
    secret = "hunter2"
    formatter = logging_config(json=False, level="INFO")["formatters"]["structured"]
    handler = logging.StreamHandler()
    handler.setFormatter(formatter.pop("()")(**formatter))
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    try:
        len(secret) / 0
    except ZeroDivisionError:
        logger.exception("It failed")
    finally:
        logger.removeHandler(handler)
    logged = capsys.readouterr().err
    assert "ZeroDivisionError" in logged
    assert secret not in logged
