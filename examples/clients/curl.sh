#!/usr/bin/env bash
# Ask, lose the connection, go on behind the last event, stop: with nothing but curl.
#
#   ./curl.sh ["a question"]      SERVER=http://127.0.0.1:3000   TOKEN=a JWT or an API key, where the server asks for one
set -euo pipefail
server=${SERVER:-http://127.0.0.1:3000}
question=${1:-Which countries border Austria?}

call() { curl -sS --no-buffer --fail-with-body ${TOKEN:+-H "authorization: Bearer $TOKEN"} "$@"; }
json() { printf '%s' "$1" | sed 's/["\\]/\\&/g'; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Ask, and watch the first frames; then head has enough, and the connection breaks, of which curl complains. The run goes on.
call "$server/api/chat" -D "$folder/headers" -H 'content-type: application/json' -d "{\"message\": \"$(json "$question")\"}" |
  head -n 30 >"$folder/frames" || true
cat "$folder/frames"

# Where the run's events are, and the id of the last frame that came whole: a blank line ends it.
events=$(sed -n 's/^[Ll]ocation: *//p' "$folder/headers" | tr -d '\r')
last=$(awk '/^id: / { id = $2 } /^$/ { last = id } END { print last }' "$folder/frames")
[ -n "$events" ] || exit 1

echo "# cut; going on behind $last"
call "$server$events" -H "last-event-id: $last"

# A second question in the same thread, this time without watching; and stopped again.
thread=$(sed -n 's/.*"threadId":"\([^"]*\)".*/\1/p' "$folder/frames" | head -n 1)
started=$(call "$server/api/chat/runs" -H 'content-type: application/json' -d "{\"message\": \"And Italy?\", \"threadId\": \"$thread\"}")
run=$(printf '%s' "$started" | sed 's/.*"runId":"\([^"]*\)".*/\1/')
echo "# stopping $run"
call -X POST "$server/api/chat/runs/$run/cancel"
echo
