t() { "$@"; echo "$? $*"; }
f=/tmp/sh-test-$$; echo x >$f; ln -s $f $f.l; mkdir $f.d; : >$f.e
for o in e f d s r w h L p S b c u g k; do for x in $f $f.l $f.d $f.e /nonexistent /dev/null; do
	[ -$o $x ]; printf "$o$? "
done; done; echo
[ $f -ef $f.l ]; echo $?
[ $f -ef $f.e ]; echo $?
rm $f $f.l $f.e; rmdir $f.d
t [ a = a ]; t [ a != a ]; t [ 1 -lt 2 ]; t [ -n "" ]; t [ "" ]; t [ ! a ]; t [ -z ]; t [ ]
t [ a -a "" ]; t [ "" -o b ]; t [ ! a -a b ]; t [ '(' a ')' ]; t [ '(' "" -o a ')' -a b ]
t [ '!' = '!' ]; t [ -n = -n ]; t [ '(' = '(' ]; t test -t 9; t [ 007 -eq 7 ]; t [ -5 -gt -6 ]
