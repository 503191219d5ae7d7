#!/bin/sh
# Installs the gateways and collectors that the benchmarks compare with, each in a folder of its own.
#
#   bench/install_peers.sh [all | litellm | portkey | mlflow | tensorzero | phoenix]
#
# NORIA_PEERS names the folder (.cache/peers where it is not set); PYTHON the interpreter, 3.11 or newer.
# What is there already is left alone: remove a folder to install it again.
set -eu

peers=${NORIA_PEERS:-.cache/peers}
python=${PYTHON:-python3}
mkdir -p "$peers"

python_peer() { # NAME REQUIREMENT...
    name=$1
    shift
    [ -e "$peers/$name/.installed" ] && return
    "$python" -m venv "$peers/$name"
    "$peers/$name/bin/python" -m pip install --quiet "$@"
    touch "$peers/$name/.installed"
}

portkey() {
    [ -e "$peers/portkey/.installed" ] && return
    mkdir -p "$peers/portkey"
    # With the versions of hono that it resolves to by itself, every stream ends in a 500.
    cat >"$peers/portkey/package.json" <<'JSON'
{
  "private": true,
  "dependencies": { "@portkey-ai/gateway": "1.15.2" },
  "overrides": { "hono": "4.9.7", "@hono/node-server": "1.13.7" }
}
JSON
    npm install --prefix "$peers/portkey" --no-audit --no-fund --loglevel error
    touch "$peers/portkey/.installed"
}

one() {
    case $1 in
    litellm) python_peer litellm 'litellm[proxy]==1.105.*' ;;
    portkey) portkey ;;
    mlflow) python_peer mlflow 'mlflow[gateway]==3.17.2' ;;
    tensorzero) python_peer tensorzero 'tensorzero==2026.6.0' ;;
    phoenix) python_peer phoenix 'arize-phoenix' ;;
    *)
        echo "$1 is not known; choose all, litellm, portkey, mlflow, tensorzero or phoenix." >&2
        exit 2
        ;;
    esac
    echo "$1 is in $peers/$1"
}

for name in "${@:-all}"; do
    if [ "$name" = all ]; then
        for each in tensorzero portkey mlflow litellm phoenix; do one "$each"; done
    else
        one "$name"
    fi
done
