echo `echo a \`echo b\`` "`echo "c d"`" $(echo $(echo e "$(echo 'f)')"))
echo $(case a in a) echo case;; (b) echo no;; esac)
echo "$(echo ")" # a comment with )
)"
x=$(false); echo $?
x=`exit 4`; echo $?
echo "$(printf 'a\nb\n\n\n')."
echo $(echo a   b) "$(echo 'a   b')"
printf '%s|' `printf %s '\$' \\\\ ` $(printf '%s' '\\')
echo $( (echo sub) ) $(
echo lines
)
