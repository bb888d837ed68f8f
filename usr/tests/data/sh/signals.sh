trap 'echo got usr1' USR1
kill -USR1 $$
echo after $?
trap 'echo hup $x; x=2' HUP
x=1
kill -HUP $$
kill -HUP $$
trap - USR1
(trap 'echo in a subshell; exit 4' USR2; sh -c 'kill -USR2 $PPID'; echo not here)
echo $?
# A signal with an action ends wait, whatever is waited for.
trap : USR1
while :; do kill -USR1 $$; done &
wait $!
test $? -gt 128 && echo wait ended
kill -KILL $!
trap 'echo term; exit 3' TERM
kill -TERM $$
echo not here either
