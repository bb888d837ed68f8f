for w in abc b.c x '*' '' 'a b' q ; do
	case $w in
	a*c) echo "a...c" ;;
	(x|y) echo "x or y" ;;
	"*") echo star ;;
	'') echo empty ;;
	[!a-p]) echo "not a-p" ;;
	*.c | *.h) echo source ;;
	*) echo "other $w"
	esac
done
case x in esac
case x in x) ;; esac; echo $?
p='b*'
case bcd in $p) echo pattern from a variable ;; esac
case bcd in "$p") echo wrong ;; *) echo quoted is literal ;; esac
case $(case a in a) echo in;; esac) in in) echo nested ;; esac
for i in 1 2 3; do case $i in 2) continue ;; 3) break ;; esac; echo "i $i"; done
false; case a in b) ;; esac; echo $?
