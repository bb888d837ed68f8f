f=/tmp/sh-test-$$
echo one >$f; echo two >>$f; cat $f
{ echo out; echo err >&2; } >$f 2>&1; cat $f
(echo a; echo b) >$f; cat <$f
exec 3>$f; echo three >&3; exec 3>&-; cat $f
{ echo closed >&3; } 2>/dev/null || echo failed
exec 4<$f; read x <&4; exec 4<&-; echo $x
echo x 1<>$f; cat $f
set -C; (echo y >$f) 2>/dev/null || echo refused; echo z >|$f; cat $f; set +C
for i in 1 2; do echo $i; done >$f; cat $f
while read l; do echo "l $l"; done <$f
echo both 2>&1 >/dev/null | cat
rm $f
