#!/bin/sh
# tree.sh - makes the little tree that the images of the fuzzer of ext2 begin with: tree.sh DIRECTORY
#
#   empty  hello                files of 0 and 12 bytes
#   big                         needs an indirect block with blocks of 1 KiB
#   short -> hello              a link's target in the inode
#   long -> xxxx...             ... and in a block of its own
#   sub/deep/er/leaf            directories in directories
#   sub/sparse                  two bytes, far from each other
set -eu

rm -rf "$1"
mkdir -p "$1/sub/deep/er"
: >"$1/empty"
echo "hello world" >"$1/hello"
i=0
while [ "$i" -lt 2000 ]; do
	echo "line $i"
	i=$((i + 1))
done >"$1/big"
ln -s hello "$1/short"
ln -s "$(printf '%0100d' 0)" "$1/long"
echo "a leaf" >"$1/sub/deep/er/leaf"
printf x >"$1/sub/sparse"
printf x | dd of="$1/sub/sparse" bs=1 seek=70000 conv=notrunc 2>/dev/null
