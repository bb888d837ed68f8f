f() { echo "f $# $1 $2"; return 3; }
set -- outer
f one "two three" >/dev/null; echo $? $1
g() {
	local x=inner y
	y=local
	echo "$x $y"
	h
}
h() { echo "h sees $x"; x=changed; }
x=global y=global
g
echo "$x $y"
count() { if [ "$1" -gt 0 ]; then echo "$1"; count $(($1 - 1)); fi; }
count 3
loop() { for i in a b c; do [ $i = b ] && return 7; echo $i; done; }
loop; echo $?
k() (echo sub; x=lost)
k; echo $x
redirected() { echo to err >&2; } 2>&1
redirected 2>/dev/null
me() { me() { echo second; }; echo first; }
me; me
unset -f me
command -v me || echo gone
