"""Asks the function that the README's Python snippet defines: a token a line in, what it makes of it a line out."""

import inspect
import json
import runpy
import sys

import jwt

names = runpy.run_path(sys.argv[1])
(claims_of,) = [value for value in names.values() if inspect.isfunction(value)]

for line in sys.stdin:
    try:
        answer = {"claims": claims_of(line.strip())}
    except jwt.InvalidTokenError as error:
        answer = {"refused": type(error).__name__}
    print(json.dumps(answer), flush=True)
