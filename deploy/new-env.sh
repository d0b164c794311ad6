#!/bin/sh
# Writes new secrets for docker-compose.yml to a file that only its owner can read: sh deploy/new-env.sh [.env]
set -eu
umask 077
file=${1:-.env}
base32=0-9a-hjkmnp-tv-z

# The data in the volumes belong to the old secrets, so those are never overwritten.
if [ -e "$file" ]; then
  echo "$file is there already: move it away first." >&2
  exit 1
fi

# Prints $2 characters out of the set $1, from the system's source of randomness.
draw() {
  LC_ALL=C tr -dc "$1" </dev/urandom | head -c "$2"
}

# An API key is acc_<key id>_<secret>. The id is a TypeID's base32 of a UUIDv7: a first digit below 8, and `e` and `8`
# where the UUID has its version and its variant.
cat >"$file" <<EOF
POSTGRES_PASSWORD=$(draw 0-9a-f 48)
BOOTSTRAP_API_KEY=acc_0$(draw $base32 9)e$(draw $base32 2)8$(draw $base32 12)_$(draw 0-9a-f 64)
BOOTSTRAP_WEBHOOK_SECRET=whsec_$(head -c 32 /dev/urandom | base64)
SECRETS_KEY=$(head -c 32 /dev/urandom | base64)
ADMIN_PASSWORD=$(draw 0-9a-zA-Z 24)
EOF
