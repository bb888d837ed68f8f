try() {
	OPTIND=1
	while getopts "$1" o "$2" "$3" "$4"; do echo "$o ${OPTARG:-none}"; done
	echo "end $OPTIND $o"
}
try ab:c -a -b value
try ab:c -acb value rest
try :ab: -x -b ""
try :ab: -a -a -b
try a -- -a x
try ab -ab x y
