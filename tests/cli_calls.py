"""Calls of the command in this process."""

from trimatte.cli import run


def succeed(capsys, *arguments):
    assert run([str(argument) for argument in arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def fail(capsys, *arguments, code=1):
    assert run([str(argument) for argument in arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    if code == 1:
        assert err.startswith("trimatte: error: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1
    if code == 2:  # the usage may stand before the message, and the next step behind it
        assert "Error: " not in err
        assert sum(line.startswith("trimatte: error: ") for line in err.splitlines()) == 1
    return err
