#!/bin/sh
# The suite on another Debian: other-debian.sh [OPTION...] SUITE [MIRROR]
#
#   SUITE       trixie, sid, or any other suite that debootstrap(8) knows
#   MIRROR      where packages come from; default http://deb.debian.org/debian
#   --again     reuse the last build in there (make compiles only what changed)
#   --host-apt  take this machine's apt settings for networks (proxies, certificates) along
#   --clean     remove the folder instead
#
# Builds a base system in ${TMPDIR:-/tmp}/s2clr-SUITE, which stays for the next run, copies the
# working tree there (tracked files as they are now, and untracked files that git does not ignore),
# runs `./bootstrap check` in it and prints the versions and the result. http_proxy, https_proxy and
# no_proxy are passed on; the data of $S2CLR_TEST_DATA (else shared/data beside the tree) is seen.
#
# Mounts live in a mount namespace of this process: the kernel takes them away however it ends.
# Exit code: 0 all tests passed, 1 otherwise, 2 usage, 77 when this machine cannot (reason printed).
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)

usage() {
    sed -n '2,16s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

say() {
    echo "other-debian: $*" >&2
}

cannot() {
    echo "skipped: $*"
    exit 77
}

# ---- arguments ----

again=no host_apt=no clean=no suite='' mirror=http://deb.debian.org/debian words=0
for word; do
    case $word in
    --again) again=yes ;;
    --host-apt) host_apt=yes ;;
    --clean) clean=yes ;;
    -*) usage ;;
    *)
        words=$((words + 1))
        case $words in
        1) suite=$word ;;
        2) mirror=$word ;;
        *) usage ;;
        esac
        ;;
    esac
done
case $suite in '' | *[!a-z0-9-]*) usage ;; esac
root=${TMPDIR:-/tmp}/s2clr-$suite

[ "$(id -u)" -eq 0 ] || cannot "a base system needs root (chroot, mounts): sudo $0 $*"
for program in debootstrap unshare chroot git tar; do
    command -v $program >/dev/null || cannot "$program is missing (Debian: apt-get install debootstrap util-linux coreutils git tar)"
done

# The rest runs in a namespace of its own, where whatever it mounts is seen by nobody else.
if [ "${S2CLR_UNSHARED:-}" != yes ]; then
    unshare --mount --propagation private true 2>/dev/null ||
        cannot 'the kernel gives no mount namespace here (a container without CAP_SYS_ADMIN?)'
    S2CLR_UNSHARED=yes exec unshare --mount --propagation private sh "$0" "$@"
fi

if [ $clean = yes ]; then
    # A folder that somebody mounted something in by hand is left alone.
    if grep -q " $root/" /proc/mounts; then
        say "something is mounted below $root: unmount it first"
        exit 1
    fi
    rm -rf "$root"
    exit 0
fi

# ---- a base system ----

# made marks a finished one; half of one is of no use.
made=$root/srv/base-system-made
if [ ! -f "$made" ]; then
    say "debootstrap $suite"
    rm -rf "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        say "debootstrap failed, see $root.log"
        exit 1
    }
    rm -f "$root.log"
    : >"$made"
fi
echo "deb $mirror $suite main" >"$root/etc/apt/sources.list"
# A mirror may be a snapshot, whose lists are signed but past their date.
echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/80snapshot"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
if [ $host_apt = yes ]; then
    apt-config dump | grep -iE '^Acquire::(http|https|ftp|Retries)' >"$root/etc/apt/apt.conf.d/80host" || :
    if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
        mkdir -p "$root/etc/ssl/certs"
        cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    fi
fi
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
data=${S2CLR_TEST_DATA:-$here/../shared/data}
if [ -d "$data" ]; then
    mkdir -p "$root/srv/data"
    mount --bind "$data" "$root/srv/data"
    mount -o remount,bind,ro "$root/srv/data"
fi

# ---- the working tree ----

tree=$root/srv/s2clr
# A tree that cannot be named by git (an unpacked package) has no business here: it has no git.
cd "$here"
git rev-parse --show-toplevel >/dev/null || exit 1
[ $again = yes ] || rm -rf "$tree"
mkdir -p "$tree"
# Deleted files are still listed by git; tar would stop at them.
# shellcheck disable=SC2016 # the inner shell expands it
git ls-files -z --cached --others --exclude-standard |
    xargs -0 sh -c 'for file; do [ ! -f "$file" ] || printf "%s\0" "$file"; done' sh |
    tar -c --null -T - -f - | tar -x --no-same-owner -f - -C "$tree"

# ---- inside ----

inside() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/srv LC_ALL=C TERM=dumb \
        S2CLR_TEST_DATA=/srv/data http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
        no_proxy="${no_proxy:-}" DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}

# What ./bootstrap does not need, but some tests use where it is.
inside sh -c 'dpkg-query -W python3-gdal python3-numpy >/dev/null 2>&1 || { apt-get -qq update &&
    apt-get -qq install -y --no-install-recommends python3-gdal python3-numpy; }' >/dev/null 2>&1 ||
    say 'python3-gdal cannot be installed: tests that use it are skipped'

log=$root/srv/check.log
code=0
{ inside sh -c 'cd /srv/s2clr && ./bootstrap check' 2>&1 || echo "exit $?"; } | tee "$log"
! grep -qE '^exit [0-9]+$' "$log" || code=1
# shellcheck disable=SC2016 # the other Debian's shell expands it
versions=$(inside dpkg-query -W -f '${Package} ${Version}, ' libgdal-dev libdnnl-dev gcc 2>/dev/null) || :
result=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1) || :
echo "$suite: $versions$(uname -m)"
echo "$suite: warnings of the compiler: $(grep -cE 'warning: .*\[-W' "$log" || :)"
echo "$suite: ${result:-no result: the build failed}"
[ -n "$result" ] || code=1
exit $code
