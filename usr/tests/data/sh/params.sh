X=path/to/file.tar.gz
echo ${X#*/} ${X##*/} ${X%.*} ${X%%.*} ${#X}
echo "${X#*/}" "${X%"tar.gz"}" ${X%zip} "${X#}" "${X%%*}."
unset U; E=
echo "${U-a}" "${E-b}" "${U:-c}" "${E:-d}" "${U+e}" "${E+f}" "${U:+g}" "${X:+h}"
echo "${U:=assigned}" $U
echo "${N:-"a b"}" ${N:-"a  b"  c} "${N:-it's}" ${N:-$(echo cmd)} "${N:-${X##*/}}" "${N:-a\}b}"
(: ${N:?message}) 2>/dev/null; echo $?
set -- a "b c" d
echo $# "$*" $1 "$2" ${3}
for i in "$@"; do echo "<$i>"; done
for i in $*; do echo "<$i>"; done
IFS=:; echo "$*"; set -- $(echo x:y::z); echo $#; unset IFS
for i in "pre$@post"; do echo "<$i>"; done
set --; for i in "$@"; do echo never; done; echo "$#${1-none}"
set -- 1 2 3 4 5 6 7 8 9 ten; echo ${10} $10; shift 3; echo $1 $#
Y='a*b*c'; echo "${Y#a\*}" "${Y%'*'c}" "${Y#"a*"}"
echo ${#} ${#1} "$#"
