#!/bin/sh
# A second factor from the command line: sets up an authenticator app, then signs in with its codes, in two requests and in one.
# Needs curl, jq and oathtool, and a Doorward whose sign-up is open: `doorward serve --dev`.
set -eu
doorward=${1:-http://localhost:8080}
email=${2:-ada@example.com} password=${3:-Tide-lantern-47-orchard}

# ask PATH JSON [HEADER]: the body of the answer, whatever its status.
ask() {
    curl -sS "$doorward$1" -H 'Content-Type: application/json' -H "${3:-Accept: application/json}" -d "$2"
}
account=$(jq -nc --arg email "$email" --arg password "$password" '{email: $email, password: $password}')

# Set up: the app is told a secret, and counts once it has shown a code.
token=$(ask /auth/signup "$account" | jq -r .token)
secret=$(ask /auth/totp '{}' "Authorization: Bearer $token" | jq -r .secret)
code=$(oathtool --totp --base32 "$secret")
echo "Keep these: $(ask /auth/totp/confirm "{\"code\":\"$code\"}" "Authorization: Bearer $token" | jq -c .recoveryCodes)"

# A code counts once, and so does each after it.
next_code() {
    until [ "$(oathtool --totp --base32 "$secret")" != "$code" ]; do sleep 1; done
    code=$(oathtool --totp --base32 "$secret")
}

# Two requests: the password gets a challenge, the challenge and a code get the token.
challenge=$(ask /auth/signin "$account" | jq -r .challenge)
next_code
echo "In two: $(ask /auth/signin/second-factor "{\"challenge\":\"$challenge\",\"code\":\"$code\"}" | jq -r .token)"

# One request.
next_code
echo "In one: $(ask /auth/signin "$(echo "$account" | jq -c --arg code "$code" '.code = $code')" | jq -r .token)"
