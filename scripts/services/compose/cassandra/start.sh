#!/usr/bin/env bash
# Cassandra with passwords: a role `lakehouse` is made, and the role that every new Cassandra has, with a password
# that everyone knows, may not log in any more. The container is healthy once /tmp/role-ready is there.
set -euo pipefail
rm -f /tmp/role-ready

configuration=/etc/cassandra/cassandra.yaml
sed -i -E -e 's/AllowAllAuthenticator/PasswordAuthenticator/' \
  -e 's/^(batch_size_(warn|fail)_threshold):.*/\1: 640KiB/' "$configuration"

umask 077
credentials=/tmp/lakehouse-credentials
printf '[PlainTextAuthProvider]\nusername = lakehouse\npassword = %s\n' "$CASSANDRA_PASSWORD" > "$credentials"
as_lakehouse() { cqlsh --credentials "$credentials" -e "$1" >/dev/null 2>&1; }

ensure_role() {
  until as_lakehouse "ALTER ROLE cassandra WITH LOGIN = false"; do
    # by standard input: a password among the arguments could be read in the list of processes
    cqlsh -u cassandra -p cassandra >/dev/null 2>&1 <<< "CREATE ROLE IF NOT EXISTS lakehouse
      WITH PASSWORD = '${CASSANDRA_PASSWORD//\'/\'\'}' AND LOGIN = true AND SUPERUSER = true;" || sleep 2
  done
  touch /tmp/role-ready
}

ensure_role &
exec docker-entrypoint.sh cassandra -f
