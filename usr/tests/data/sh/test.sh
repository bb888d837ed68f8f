t() { "$@"; echo "$? $*"; }
f=/tmp/sh-test-$$; echo x >$f; mkdir $f.d; : >$f.e
for o in e f d r h L p S b c u g k; do for x in $f /proc/self/exe $f.d $f.e /nonexistent /dev/null; do
	[ -$o $x ]; printf "$o$? "
done; done; echo
[ $f -ef /tmp/../$f ]; echo $?
[ $f -ef $f.e ]; echo $?
[ -s $f ]; echo $?; [ -s $f.e ]; echo $?
rm $f $f.e; rm -r $f.d
t [ a = a ]; t [ a != a ]; t [ 1 -lt 2 ]; t [ -n "" ]; t [ "" ]; t [ ! a ]; t [ -z ]; t [ ]
t [ a -a "" ]; t [ "" -o b ]; t [ ! a -a b ]; t [ '(' a ')' ]; t [ '(' "" -o a ')' -a b ]
t [ '!' = '!' ]; t [ -n = -n ]; t [ '(' = '(' ]; t test -t 9; t [ 007 -eq 7 ]; t [ -5 -gt -6 ]
