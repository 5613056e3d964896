#!/usr/bin/env bash
# What envguard does on aarch64 Linux, tried on any Debian with root: see README.md beside this file.
#
#   tests/machines/aarch64.sh [--suite NAME] [--folder DIR] [--cache DIR] [--prove ENV:EDITION]... [--collect] [--keep]
set -euo pipefail

suite=bookworm folder=/var/tmp/envguard-aarch64 cache="${XDG_CACHE_HOME:-$HOME/.cache}/envguard-aarch64"
proving=() collect='' keep=''
while [ $# -gt 0 ]; do
  case $1 in
    --suite) suite=$2; shift ;;
    --folder) folder=$2; shift ;;
    --cache) cache=$2; shift ;;
    --prove) proving+=("$2"); shift ;;
    --collect) collect=yes ;;
    --keep) keep=yes ;;
    *) sed -n '2,4s/^# \?//p' "$0" >&2; exit 2 ;;
  esac
  shift
done

here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
root=$folder/root qemu=$cache/qemu-aarch64 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
packages=python3,python3-venv,make,git,ca-certificates,libegl1,libgles2

fail() { printf '%s\n  next: %s\n' "$1" "$2" >&2; exit 3; }

check_host() {
  [ "$(id -u)" -eq 0 ] || fail "Only root can make a root file system." "run it as root"
  for program in debootstrap dpkg-deb apt-get git unshare; do
    command -v "$program" >/dev/null || fail "There is no $program." "apt install debootstrap git util-linux"
  done
  [ "$(uname -m)" != aarch64 ] || fail "This host is for aarch64 itself." "make quantize"
  unshare --user --map-root-user --mount mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc ||
    fail "No emulator can be registered for a user namespace alone." "use Linux 6.7 or newer, with user namespaces"
  [ ! -e "$root" ] || fail "There is a root file system in $root already." "remove it, or name another --folder"
}

# Where this host has its own packages from.
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep -v security | head -1
}

# QEMU 7.2, which is Debian 12's, crashes in LiteRT's kernels (XNNPACK); 10.0 is Debian 13's, and statically linked.
have_qemu() {
  [ ! -x "$qemu" ] || return 0
  local apt=$folder/apt
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  echo "deb [arch=$(dpkg --print-architecture) signed-by=$keyring] $(mirror) trixie main" > "$apt/sources.list"
  local settings=(-q -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt" -o APT::Sandbox::User=root)
  (cd "$apt" && apt-get "${settings[@]}" update && apt-get "${settings[@]}" download qemu-user)
  dpkg-deb --fsys-tarfile "$apt"/qemu-user_*.deb | tar -x -O ./usr/bin/qemu-aarch64 > "$qemu.part"
  chmod +x "$qemu.part"
  mv "$qemu.part" "$qemu"
}

# Packages are unpacked and not configured: under emulation, their scripts would take longer than all the rest.
make_root() {
  mkdir -p "$cache/debs"
  debootstrap --arch=arm64 --foreign --variant=minbase --cache-dir="$cache/debs" --include="$packages" \
    "$suite" "$root" "$(mirror)"
  for package in "$root"/var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$root"
  done
  for place in proc sys dev; do
    [ ! -L "$root/$place" ] || rm "$root/$place"
    mkdir -p "$root/$place"
  done
  echo 'root:x:0:0:root:/root:/bin/sh' > "$root/etc/passwd"
  echo 'root:x:0:' > "$root/etc/group"
  mkdir -p "$root/etc/ssl/certs"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  inside /sbin/ldconfig
}

inside() { "$here/enter.sh" "$root" "$qemu" "$cache" "$@"; }

# A line of the report: what was done, in how many seconds, and how it ended.
timed() {
  local what=$1 start=$SECONDS code=0
  shift
  echo "== $what"
  "$@" || code=$?
  printf '%-44s %6d s  exit code %d\n' "$what" $((SECONDS - start)) "$code" >> "$folder/report.txt"
  return $code
}

in_clone() { inside /bin/sh -c "cd /envguard && $1"; }

check_host
mkdir -p "$folder" "$cache"
trap '[ -n "$keep" ] || rm -rf "$root" "$folder/apt"' EXIT
have_qemu
emulator="qemu $("$qemu" --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')"
echo "$emulator, Debian $suite" > "$folder/report.txt"
timed "root file system" make_root
git clone -q "$checkout" "$root/envguard"
git -C "$root/envguard" log -1 --format='envguard %h' >> "$folder/report.txt"

status=0
timed "make host" in_clone "make host"
# What the plan takes here, without trying anything that has no wheel for this machine.
in_clone ".venv/bin/envguard run quantize sample:face_landmarker --explain --json" > "$folder/plan.json"
chosen='import json, sys; [print(each["name"] + ":" + each["chosen"]["edition"]) for each in json.load(sys.stdin)["environments"]]'
mapfile -t planned < <(inside /usr/bin/python3 -c "$chosen" < "$folder/plan.json")
prove() { timed "prove $1 $2" in_clone ".venv/bin/envguard prove $1 --edition $2 --emulated '$emulator'" || status=1; }
for each in "${planned[@]}"; do
  timed "create ${each%%:*} (planned: ${each#*:})" in_clone ".venv/bin/envguard create ${each%%:*}" || status=1
  prove "${each%%:*}" "${each#*:}"
done
# A float32 convolution with a PRELU and a TANH: MediaPipe has no task for it, so LiteRT alone judges it.
timed "make a small model" in_clone ".venv/bin/envguard exec quantize -- python tests/support/inside/make_models.py /tmp" || status=1
timed "run quantize /tmp/small.tflite" in_clone ".venv/bin/envguard run quantize /tmp/small.tflite" || status=1
for each in "${proving[@]}"; do prove "${each%%:*}" "${each#*:}"; done

echo
cat "$folder/report.txt"
if [ -n "$collect" ]; then git -C "$root/envguard" diff -- lockfiles | git -C "$checkout" apply --3way; fi
exit $status
