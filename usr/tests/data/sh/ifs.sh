s=' a  b	c '
set -- $s; echo $#
IFS=:; set -- $(printf ':a::b:'); echo $# "[$1]" "[$2]" "[$3]"
IFS=' :'; v=' a : b::c '; set -- $v; echo $# "[$1]" "[$2]" "[$3]" "[$4]"
IFS=; set -- $s; echo $#
unset IFS; set -- $s"x"; echo $#
IFS=, read a b c <<EOF
1,2,3,4
EOF
echo "$a $b $c"
read -r a <<'EOF'
  back\slash  
EOF
echo "[$a]"
read a b <<'EOF'
one\ word two\
three
EOF
echo "[$a][$b]"
read x </dev/null; echo $?
