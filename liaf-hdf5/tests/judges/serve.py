"""Runs the other scripts of this folder, so that Python and its modules start once for many questions.

A question is a line of JSON on the standard input: the name of a script, and arguments of its function
`main`. The answer is a line of JSON on the standard output, with `said`, which is what the script printed, or
with `error`. The first line says whether there is all that the scripts need.
"""
import contextlib
import importlib
import io
import json
import sys
import traceback


def answer(**what):
    print(json.dumps(what), flush=True)


def run(script, *arguments):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        importlib.import_module(script).main(*arguments)
    return said.getvalue()


def main():
    try:
        for module in ("numpy", "h5py", "hdf5plugin"):
            importlib.import_module(module)
    except ImportError as error:
        return answer(error=str(error))
    answer(said="ready")
    for line in sys.stdin:
        try:
            said = run(*json.loads(line))
        except Exception:
            answer(error=traceback.format_exc())
        else:
            answer(said=said)


main()
