#!/bin/sh
# Becomes a Lambda execution environment: run as pid 1 of fresh user, mount and pid namespaces
# (`unshare --user --map-root-user --mount --pid --fork`). Everything is mounted here and dies
# with this process; nothing outside of the namespaces changes.
#
#   sandbox.sh LAYERS CODE RIE QEMU SYSROOT PREFIX COMMAND [ARGUMENT...]
#
#   LAYERS   folders to merge at /opt, one a line, later ones win; may be empty
#   CODE     folder to show at /var/task; may be empty
#   RIE      program to show at /var/rapid/rie; may be empty
#   QEMU     emulator to register for arm64 programs; may be empty
#   SYSROOT  arm64 libraries, shown at PREFIX, where QEMU looks for them; may be empty
#
# COMMAND sees the host's programs and libraries, /var/task, /opt, a minimal /etc, /dev and
# /proc, all read-only; an empty writable /tmp; and nothing else. No capability is left to it.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
layers=$1 code=$2 rie=$3 qemu=$4 sysroot=$5 prefix=$6
shift 6

# /sys exists on every Linux, and neither code nor layers can lie below it.
root=/sys
mount -t tmpfs -o mode=0755,size=64m tmpfs "$root"
cd "$root"
mkdir dev etc opt proc tmp usr var var/task var/rapid run .old

bind() { # recursive, because a user namespace may not uncover what a mount hides
  mount --rbind "$1" "$2"
}
optional() { # a path that not every distribution has
  if [ -d "$1" ]; then mkdir -p ".$1" && bind "$1" ".$1"
  elif [ -f "$1" ]; then mkdir -p ".${1%/*}" && cp -L "$1" ".$1"
  fi
}

bind /usr usr
for path in /bin /sbin /lib /lib32 /lib64 /libx32; do
  if [ -L "$path" ]; then ln -s "$(readlink "$path")" ".$path"; else optional "$path"; fi
done
for path in /etc/ssl /etc/pki /etc/ca-certificates /etc/alternatives /etc/ld.so.cache \
  /etc/resolv.conf /etc/nsswitch.conf /etc/localtime; do
  optional "$path"
done
printf '127.0.0.1 localhost\n::1 localhost\n' >etc/hosts
printf 'root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n' >etc/passwd
printf 'root:x:0:\nsbx_user1051:x:990:\n' >etc/group

if [ -n "$code" ]; then bind "$code" var/task; fi
if [ -n "$rie" ]; then
  : >var/rapid/rie
  mount --bind "$rie" var/rapid/rie
fi
case $layers in
  '') ;;
  *'
'*)
    mount -t tmpfs -o mode=0755 tmpfs opt
    printf '%s\n' "$layers" | while IFS= read -r layer; do cp -a --no-preserve=ownership "$layer/." opt/; done
    ;;
  *) bind "$layers" opt ;;
esac
if [ -n "$sysroot" ]; then
  mkdir -p ".$prefix"
  bind "$sysroot" ".$prefix"
fi

# An interpreter of this machine must never stand in for one that a layer forgot.
mount -t tmpfs -o mode=0755 tmpfs usr/local
for name in node nodejs deno bun; do
  # Perhaps behind a link; elsewhere than here the function sees nothing of this machine.
  program=$(readlink -f "/usr/bin/$name") || continue
  case $program in
    /usr/* | /bin/* | /sbin/* | /lib*) if [ -f ".$program" ]; then mount --bind /dev/null ".$program"; fi ;;
  esac
done

for node in null zero full random urandom tty; do
  : >"dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

# Read-only from here on, the host's submounts included (/sys/... entries that do not exist
# below the new root are the old contents of /sys).
while read -r _ _ _ _ point _; do
  point=$(printf '%b' "$point")
  case $point in
    "$root"/dev/*) ;;
    "$root"/*) [ ! -e "$point" ] || mount -o remount,bind,ro,nosuid,nodev "$point" ;;
  esac
done </proc/self/mountinfo
mount -t tmpfs -o mode=1777,nosuid,nodev,size=512m tmpfs tmp
mount -t proc -o nosuid,nodev,noexec proc proc

if [ -n "$qemu" ]; then
  # Flag F opens qemu now, so that it need not exist below the new root.
  mount -t binfmt_misc binfmt_misc proc/sys/fs/binfmt_misc
  printf '%s' ":qemu-aarch64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:$qemu:F" \
    >proc/sys/fs/binfmt_misc/register
fi

pivot_root . .old
cd /
umount -l /.old
rmdir /.old
mount -o remount,bind,ro /
cd /var/task
# A second user namespace owns none of these mounts, so nothing in it may change them.
exec unshare --user --map-user=993 --map-group=990 setpriv --no-new-privs "$@"
