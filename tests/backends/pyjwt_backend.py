"""A back end that guards itself with PyJWT: a token a line in, what it makes of it a line out."""

import json
import sys

import jwt

settings = json.loads(sys.argv[1])
secret = settings.get("secret")
keys = None if secret else jwt.PyJWKClient(settings["jwksUrl"])


def verify(token, later):
    """The claims of the token, `later` seconds from now."""
    key = secret or keys.get_signing_key_from_jwt(token)
    return jwt.decode(
        token,
        key,
        algorithms=[settings["algorithm"]],
        issuer=settings["issuer"],
        audience=settings["issuer"],
        # PyJWT takes no clock, but a negative leeway says the same of exp. Of iat it would say the opposite.
        leeway=-later,
        options={"verify_iat": later == 0},
    )


for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"claims": verify(question["token"], question["later"])}
    except jwt.PyJWTError as error:
        answer = {"refused": type(error).__name__}
    print(json.dumps(answer), flush=True)
