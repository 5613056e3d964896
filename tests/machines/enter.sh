#!/usr/bin/env bash
# Run a command in an arm64 root file system: enter.sh ROOT QEMU CACHE COMMAND [ARGUMENT...]
#
# The kernel starts QEMU for arm64 programs only in here: binfmt_misc belongs to a user namespace of its own (Linux 6.7
# or newer), so nothing of the host changes, and nothing is left when the command ends. QEMU is opened once, by the
# flag F, so it need not lie in ROOT; O hands it the program already open. CACHE is where downloads are kept.
set -euo pipefail

# The ELF header of a 64-bit, little-endian program or library for the machine 0xb7, AArch64.
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'

if [ "${1:-}" != --inside ]; then
  exec unshare --user --map-root-user --mount --propagation private "$0" --inside "$@"
fi
root=$2 qemu=$3 cache=$4
shift 4

mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
printf '%s' ":arm64:M::$magic:$mask:$qemu:OF" > /proc/sys/fs/binfmt_misc/register
for folder in /proc /sys /dev; do mount --rbind "$folder" "$root$folder"; done  # MediaPipe aborts without /sys
for kept in .cache/pip .cache/envguard/uv-cache; do
  mkdir -p "$cache/$kept" "$root/root/$kept"
  mount --bind "$cache/$kept" "$root/root/$kept"
done
# Where packages come from is the host's business, as are the authorities that it trusts.
passed=()
for name in PIP_INDEX_URL UV_DEFAULT_INDEX {HTTP,HTTPS,ALL,NO,http,https,all,no}_{PROXY,proxy}; do
  if [ -n "${!name:-}" ]; then passed+=("$name=${!name}"); fi
done
bundle=/etc/ssl/certs/ca-certificates.crt
exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin LANG=C.UTF-8 TERM=dumb \
  SSL_CERT_FILE=$bundle PIP_CERT=$bundle "${passed[@]}" "$@"
