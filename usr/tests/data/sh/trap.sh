trap 'echo bye $?' EXIT
(trap 'echo sub' EXIT; exit 3); echo $?
(echo no trap here)
trap '' INT
case $(trap) in *INT*) echo ignored ;; esac
trap - INT
case $(trap) in *INT*) echo wrong ;; esac
x=$(trap 'echo in substitution' EXIT; echo first)
echo "$x"
exit 5
