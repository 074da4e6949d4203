#!/bin/sh
# Runs a deployment unless another one of the same name is under way, on
# whichever host.
#
#     REDIS_URL=redis://web-3 examples/deploy_guard.sh shop ./deploy.sh --all
#
# The deployment finds its fencing token in LOCKING_FENCING_TOKEN. Should the lock
# be lost, the deployment is ended before anybody else can begin.
set -u
: "${REDIS_URL:?names the Redis server}" "${2?a name and a command}"

name=deploy/$1
shift

# How the command `locking` is started here, such as "npx locking".
locking=${LOCKING:-locking}

# shellcheck disable=SC2086 # It may be several words.
$locking run --no-wait --redis= --ttl="${DEPLOY_TTL:-60s}" "$name" -- "$@"
code=$?

case $code in
75)
  echo "another deployment is under way:" >&2
  # shellcheck disable=SC2086
  $locking status --redis= "$name" >&2
  ;;
76)
  echo "the lock was lost: look how far the deployment came" >&2
  ;;
esac
exit "$code"
