# Sourced by the scripts one folder up: strict mode, where the project is, and
# how a bare Debian 12 gets what it needs.
# shellcheck shell=bash disable=SC2034 # Names are used by who sources this.

set -euo pipefail
export LC_ALL=C.UTF-8 # A minimal system has no other; tools then speak alike.

# The folder that holds this project, with all links resolved.
project=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)

# Debian's packages, by what they are needed for.
packages_to_build=(
  ccache cmake g++ ninja-build
  libboost1.81-dev libboost-json1.81-dev libcaf-dev libhowardhinnant-date-dev
  libsqlite3-dev libssl-dev libvalijson-dev prometheus-cpp-dev tzdata
)
packages_to_test=(
  libboost-test1.81-dev
  clang-format clang-tidy shellcheck
)
packages_to_fuzz=(
  clang-14 libclang-rt-14-dev
)

say() {
  printf '== %s\n' "$*"
}

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# require_packages NAME...: installs those that dpkg does not have. Asks nothing
# and does nothing, not even apt-get update, if all are there.
require_packages() {
  local name log missing=() as_root=()
  command -v dpkg-query >/dev/null \
    || die "this is no Debian. Install what $* stand for, and use" \
           "'cmake --workflow --preset dev' instead of this script."
  for name in "$@"; do
    # shellcheck disable=SC2016 # dpkg-query's own variable.
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) \
         == installed ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    may_sudo || die "these packages are missing, and this is neither root" \
      "nor may it use sudo. Run as root: apt-get update && apt-get install" \
      "--no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  log=$(mktemp)
  { "${as_root[@]}" apt-get -q update \
    && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
      -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
      install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 \
    || { cat -- "$log" >&2 && die "apt-get failed, see above; the packages" \
      "are those of Debian 12 (bookworm)"; }
  rm -f -- "$log"
}

# install_peers: what tests/peers/package-lock.json names, into build/peers. The
# lock holds what each package has to be (integrity), not where it comes from.
install_peers() {
  local from="$project/tests/peers" into="$project/build/peers"
  if [[ -n ${KESTRION_WITHOUT_PEERS:-} ]]; then
    [[ -z ${CI:-} ]] || die "KESTRION_WITHOUT_PEERS is set; CI has to run all tests"
    say "KESTRION_WITHOUT_PEERS is set: tests against servers of others are skipped"
    return 0
  fi
  ! cmp -s -- "$from/package-lock.json" "$into/installed-lock.json" || return 0
  command -v npm >/dev/null || require_packages npm
  say "installing servers of others, into build/peers"
  mkdir -p -- "$into"
  cp -- "$from/package.json" "$from/package-lock.json" "$into"
  (cd -- "$into" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) \
    || die "npm ci failed; KESTRION_WITHOUT_PEERS=1 goes without what it installs"
  cp -- "$from/package-lock.json" "$into/installed-lock.json"
}

# Without a password, or with somebody there to type it.
may_sudo() {
  sudo -n true 2>/dev/null || { [[ -t 0 ]] && command -v sudo >/dev/null; }
}

# How many compilers run at once: one a processor, but only as many as fit into
# the memory (a file with actors takes up to 1.5 GB).
jobs_at_once() {
  local processors kib fit
  if [[ -n ${KESTRION_JOBS:-} ]]; then
    printf '%s\n' "$KESTRION_JOBS"
    return
  fi
  processors=$(nproc)
  kib=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo 2>/dev/null \
        || true)
  fit=$((${kib:-8000000} / 1500000))
  ((fit > processors)) && fit=$processors
  ((fit >= 1)) || fit=1
  printf '%s\n' "$fit"
}

# configure PRESET [OPTION...]: configures build/PRESET. A folder that was
# configured elsewhere (the project was moved or copied) starts anew.
configure() {
  local preset=$1 cache="$project/build/$1/CMakeCache.txt"
  shift
  if [[ -f $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$project" \
                              "$cache"; then
    say "build/$preset is of another folder; starting anew"
    rm -rf -- "${project:?}/build/$preset"
  fi
  (cd -- "$project" && cmake --preset "$preset" --log-level=WARNING "$@") \
    || die "cmake --preset $preset failed"
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  cmake --build "$project/build/$preset" --parallel "$(jobs_at_once)" \
    ${1:+--target "$@"} || die "the build of $preset failed"
}
