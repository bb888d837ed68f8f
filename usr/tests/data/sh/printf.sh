printf 'a%sb%dc\n' x 5
printf '%s %s\n' 1 2 3
printf '%5d|%-5s|%05d|%x|%o|%X\n' 42 ab 42 255 8 255
printf '%.2s|%c|%%|%i\n' abcdef xyz 7
printf '\101\t\\n\n'
printf '%b\n' 'a\tb\0101'
printf 'no newline'; printf '\n'
printf '%d %d\n' 0x10 "'A"
printf '%*d|\n' 6 5
printf '%d\n' junk 2>/dev/null; echo $?
