trap 'echo bye $?' EXIT
(trap 'echo sub' EXIT; exit 3); echo $?
(echo no trap here)
trap '' INT
trap | grep INT
trap - INT
trap | grep -c INT
x=$(trap 'echo in substitution' EXIT; echo first)
echo "$x"
exit 5
