# Sourced by the other tools: `make_environment FOLDER EXTRAS` gives a ready virtual environment in FOLDER.
# Written for bash 3.2 (macOS). Everything it says goes to stderr, so that `--json -` stays clean.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
    echo "sensorrep: $*" >&2
    exit 1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    local found
    found=$(python3 --version 2>/dev/null) || found="none"
    fail "needs Python 3.11 or later, found ${found}: install a newer one, or name it: PYTHON=/path/to/python3 $0"
}

# What the environment was made from: when this line changes, it is made again.
fingerprint() {
    echo "$1 $2 $("$3" --version) $(cksum <"$root/pyproject.toml")"
}

make_environment() {
    local folder=$1 extras=$2 python stamp version
    python=$(find_python) || exit 1
    stamp=$(fingerprint "$folder" "$extras" "$python")
    if [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ] && "$folder/bin/python" -c '' 2>/dev/null; then
        return
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        fail "this Python can't make environments: on Debian or Ubuntu, sudo apt-get install python$version-venv"
    fi
    echo "sensorrep: preparing ${folder#"$root"/} (once, about a minute)" >&2
    "$python" -m venv --clear "$folder" >&2 || fail "could not make an environment in $folder"
    "$folder/bin/python" -m pip install -qq --disable-pip-version-check --editable "$root$extras" >&2 ||
        fail "could not install what it needs (see above): this one time it needs the network"
    echo "$stamp" >"$folder/stamp"
}
