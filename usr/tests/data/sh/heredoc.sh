X=value
cat <<EOF
plain $X ${X}s $(echo command) `echo old` $((1 + 2)) "quoted" 'single' \$X \\ \" a\
b
EOF
cat <<'EOF'
$X \$X `x` \
EOF
cat <<-EOF
	tabs gone
		$X
	EOF
cat <<A; cat <<B
first
A
second
B
while read -r line; do echo "[$line]"; done <<EOF
one
two  three
EOF
cat <<EOF | cat
piped
EOF
f() { cat <<EOF
in function $1
EOF
}
f arg
cat <<EOF
$(cat <<IN
nested
IN
)
EOF
cat 3<<EOF <&3
three
EOF
if true; then cat <<EOF; fi
${X:-"d"} ${Y:-a b}
EOF
i=0; long=0123456789
while [ $i -lt 10 ]; do long=$long$long; i=$((i + 1)); done
set -- $(cat <<EOF | wc -c
$long
EOF
)
echo $1
cat <<EOF
EOF
