# ravel.gdb - what gdb is told by `make gdb` before the first prompt; the target is set by it.
set confirm off
set pagination off
set architecture riscv:rv64
set disassemble-next-line auto
set print pretty on

# The kernel's symbols are high addresses; they mean something from enable_paging in head.S on.
define hart
	info threads
end
document hart
The harts, each a thread of gdb's: `thread 2` goes to the second.
end
