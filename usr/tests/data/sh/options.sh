(set -u; echo ${unset_variable}; echo not reached) 2>/dev/null; echo $?
(set -u; echo ${unset_variable-fine} "$@")
(set -e; false; echo not reached); echo $?
(set -e; if false; then :; fi; false || true; ! true; echo reached); echo $?
(set -f; echo *)
(set -- -a b; echo $1 $2)
(set -x; echo traced) 2>&1
set -e; f() { false; echo inside; }; f || echo failed; set +e
(set -e; f; echo not reached); echo $?
(set -a; exported=1; sh -c 'echo $exported')
sh=$(command -v sh)
"$sh" -n -c 'echo never'; echo $?
"$sh" -c 'echo $0 $1' name arg
echo 'echo "$1 $#"' | "$sh" -s a b
"$sh" -c 'if' 2>/dev/null; echo $?
"$sh" -c 'echo a; )' 2>/dev/null; echo $?
