alias hi="echo hello"
hi world
unalias hi
(hi) 2>/dev/null; echo $?
readonly R=1; (R=2) 2>/dev/null; echo $?; echo $R
export EX=v; sh -c 'echo $EX'
eval 'a=1; echo $a'; eval "echo '$a b'"
command echo plain
echo() { command printf 'mine %s\n' "$*"; }
echo x; command echo y; unset -f echo
command -v cd; command -v if; command -v nonexistent; echo $?
umask 027; umask; umask u=rwx,g=rx,o=; umask; umask -S
cd /tmp && cd / && cd - && pwd; pwd -P
hash -r; hash cat; echo $?
: ignored; true; echo $?; ! true; echo $?
for i in 1 2 3; do for j in 1 2; do [ $j = 2 ] && continue 2; [ $i = 3 ] && break 2; echo $i$j; done; done
until [ "${n=0}" -ge 2 ]; do n=$((n + 1)); echo n$n; done
sleep 0 & wait $!; echo $?
(exit 9) & wait $!; echo $?
false | true; echo $?
{ echo group; } | cat
echo a[b] "[a-z]*" \*
