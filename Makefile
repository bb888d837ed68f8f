# Makefile - builds Ravel out of tree in build/, and runs and checks it. Start with `make help`.
#
#   arch drivers fs kernel lib mm  --> build/kernel/**.o --> build/ravel.elf (linked twice); with
#                                      DEBUG=1 build/kernel-debug/, build/ravel-debug.elf
#   usr/lib/*.c usr/lib/gc/*.c     --> build/usr/libravel.a
#   usr/lib/malloc/*.c             --> build/usr/umalloc.o, in front of the C library's malloc()
#   usr/bin usr/tests usr/bench    --> build/usr/{bin,tests,bench}/NAME --> build/disk.img
#   usr/host                       --> build/usr/host/NAME, which scripts put on disks of their own
#   usr/lib usr/bin usr/tests, host's cc --> build/oracle/
#
# Sources are found by wildcard: a new file needs no line here. Objects depend on their headers
# (-MMD) and on a stamp that changes with the flags and the compiler; what is made of a set of files
# depends on a stamp that changes with the set.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

B := build
CROSS_COMPILE ?= riscv64-linux-gnu-
CC := $(CROSS_COMPILE)gcc
AR := $(CROSS_COMPILE)ar
NM := $(CROSS_COMPILE)nm
HOSTCC ?= gcc

# What a user sets, on the command line or in the environment, and the scripts read.
export CROSS_COMPILE DEBUG MEM SMP SWAP ICOUNT V TEST SEED APPEND QEMU_EXTRA TIMEOUT_IDLE \
	CMD FILE TO CUTS IMAGES MODELS PRESSURE_CUTS MINUTES SECONDS MUTANT HOSTCC CLANG

# The debug kernel stands beside the usual one; the disk is the same.
debug := $(if $(filter-out 0,$(DEBUG)),-debug)
K := $(B)/kernel$(debug)
KERNEL := $(B)/ravel$(debug).elf

ifeq ($(filter-out 0,$(V)),)
Q := @
say = @echo '  $(1)	$(2)';
else
Q :=
say :=
endif

# ---- flags

WARN := -Wall -Wextra -Wvla $(if $(filter-out 0 false,$(CI)),-Werror)

# Kernel stacks are 16 KiB. The largest frames are those with a struct mmu_gather in them.
KWARN := -Wframe-larger-than=1152
# kernel/ubsan.c says what -fsanitize finds. Every caller keeps its frame, to be seen in reports.
KDEBUG := -DCONFIG_DEBUG -fsanitize=undefined -fno-optimize-sibling-calls
KFLAGS := -std=gnu11 -O2 -g -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany \
	-ffreestanding -fno-pic -fno-pie -no-pie -fno-stack-protector -fno-omit-frame-pointer \
	-fno-strict-aliasing -fno-common -fno-asynchronous-unwind-tables \
	-fno-delete-null-pointer-checks $(if $(debug),$(KDEBUG)) $(WARN) $(KWARN) -I.
KLINK := $(KFLAGS) -nostdlib -static -Wl,--build-id=none,-T,linker.ld,--no-warn-rwx-segments
UFLAGS := -std=gnu11 -O2 -g $(WARN) -I.
# As the head of vmbench.c says: the same bytes on every kernel that it measures.
BENCHFLAGS := -O2 -static -nostdlib -ffreestanding -fno-builtin -fno-stack-protector -fno-pic \
	-no-pie -march=rv64imac -mabi=lp64
DEPS = -MMD -MP -MF $(@:.o=.d)

# ---- sources

KSRCS := $(sort $(wildcard arch/riscv/*.[cS] drivers/*.c fs/*.c fs/*/*.c kernel/*.c lib/*.c mm/*.c))
KOBJS := $(patsubst %.c,$(K)/%.o,$(KSRCS:%.S=$(K)/%.S.o))

ULIBSRCS := $(sort $(wildcard usr/lib/*.c usr/lib/gc/*.c usr/lib/malloc/textbook/*.c))
UMALLOC_SRCS := $(sort $(wildcard usr/lib/malloc/*.c))
BENCH_DIRS := $(patsubst usr/bench/%/,%,$(sort $(dir $(wildcard usr/bench/*/*.c))))
TRACES := $(patsubst usr/bench/traces/%.gz,%,$(sort $(wildcard usr/bench/traces/*.rep.gz)))
BINDIRS := $(patsubst usr/bin/%/,%,$(sort $(dir $(wildcard usr/bin/*/*.c))))
BINS := $(patsubst usr/bin/%.c,%,$(sort $(wildcard usr/bin/*.c)))
# vmbench is built in a way of its own, mallocrecord for this machine only.
BENCHES := $(patsubst usr/bench/%.c,%,$(sort $(filter-out %/vmbench.c %/mallocrecord.c, \
	$(wildcard usr/bench/*.c))))
TESTS := $(patsubst usr/tests/%.c,%,$(sort $(wildcard usr/tests/*.c)))
USRCS := $(ULIBSRCS) $(UMALLOC_SRCS) $(sort $(wildcard usr/bin/*.c usr/bin/*/*.c usr/tests/*.c)) \
	$(BENCHES:%=usr/bench/%.c) $(sort $(wildcard usr/bench/*/*.c))
PROGRAMS := $(addprefix bin/,$(BINS) $(BINDIRS)) $(addprefix tests/,$(TESTS)) \
	bench/vmbench $(BENCHES:%=bench/%) bench/mallocbench bench/mallocbench-glibc

# ---- tools first: before anything is made, but for what needs none or asks for its own

NO_CROSS_TOOLS := clean fresh help lint format oracle oracle-sh test-oracle \
	host host-coverage libfuzzer test-host fuzz coverage umalloc \
	test-umalloc
ifneq ($(filter-out $(NO_CROSS_TOOLS),$(or $(MAKECMDGOALS),all)),)
ifeq ($(findstring n,$(firstword -$(MAKEFLAGS))),) # make -n installs nothing
ifneq ($(shell scripts/check-tools >&2 && echo ok),ok)
$(error the tools above are needed first)
endif
endif
endif

HOSTED_SRCS := $(sort $(wildcard usr/host/*.c))
HOSTED := $(HOSTED_SRCS:%.c=$(B)/%)
USRCS += $(HOSTED_SRCS)

# ---- the disk's own files

# ROOTFS= names a directory that must exist; without it rootfs/ is taken if it is there.
OVERLAY := $(realpath $(or $(strip $(ROOTFS)),$(wildcard rootfs)))
ifneq ($(strip $(ROOTFS)),)
ifeq ($(and $(OVERLAY),$(wildcard $(OVERLAY)/.)),)
$(error ROOTFS=$(ROOTFS): there is no such directory)
endif
endif

.PHONY: all run fresh get test test-host fuzz coverage mutate soak test-oracle bench policies \
	gdb exec lint format clean help oracle oracle-sh umalloc test-umalloc host host-coverage \
	libfuzzer FORCE
all: $(KERNEL) $(B)/disk.img $(HOSTED) $(B)/compile_commands.json

# ---- stamps: rewritten only when what they say has changed

# $(call stamp,shell command that prints the contents)
stamp = @mkdir -p $(@D); { $(1); } >$@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(K).flags: FORCE
	$(call stamp,echo '$(KLINK)'; $(CC) --version)
$(B)/user.flags: FORCE
	$(call stamp,echo '$(UFLAGS) $(BENCHFLAGS)'; $(CC) --version)
$(B)/oracle.flags: FORCE
	$(call stamp,echo '$(UFLAGS)'; $(HOSTCC) --version)
$(B)/sources: FORCE
	$(call stamp,echo '$(KSRCS) $(USRCS)')
$(B)/disk.files: FORCE
	$(call stamp,echo '$(PROGRAMS) $(TRACES) $(OVERLAY)'; \
		find usr/etc $(wildcard usr/tests/data) $(OVERLAY) \
			-printf '%p %m %s %T@ %l\n' | sort)

# ---- kernel

$(K)/%.o: %.c $(K).flags
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(KFLAGS) $(DEPS) -c $< -o $@

$(K)/%.S.o: %.S $(K).flags
	@mkdir -p $(@D)
	$(call say,AS,$<) $(CC) $(KFLAGS) $(DEPS) -c $< -o $@

# The first link has an empty symbol table, the second that of the first. The table of the second
# must be the same: filling it has moved no function.
# $(call link,command that prints nm's lines,symbol table,result)
link = $(1) | scripts/mksyms >$(2).S && $(CC) $(KFLAGS) -c $(2).S -o $(2).o && \
	$(CC) $(KLINK) $(KOBJS) $(2).o -o $(3)

$(KERNEL): $(KOBJS) linker.ld scripts/mksyms $(B)/sources $(K).flags
	$(call say,LINK,$@) $(call link,:,$(K)/syms0,$(K)/first.elf)
	$(Q)$(call link,$(NM) -n $(K)/first.elf,$(K)/syms1,$@.new)
	$(Q)$(NM) -n $@.new | scripts/mksyms | cmp - $(K)/syms1.S && mv $@.new $@

# ---- user programs

$(B)/usr/obj/%.o: %.c $(B)/user.flags
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(UFLAGS) $(DEPS) -c $< -o $@

ULIBOBJS := $(ULIBSRCS:%.c=$(B)/usr/obj/%.o)
$(B)/usr/libravel.a: $(ULIBOBJS) $(B)/sources
	$(call say,AR,$@) rm -f $@; $(AR) rcsD $@ $(ULIBOBJS)

# malloc() and its family as one object, so that all of it is linked, or nothing.
UMALLOC_OBJS := $(UMALLOC_SRCS:%.c=$(B)/usr/obj/%.o)
$(UMALLOC_OBJS): UFLAGS += -fvisibility=hidden
$(B)/usr/umalloc.o: $(UMALLOC_OBJS) $(B)/sources
	$(call say,LINK,$@) $(CC) -nostdlib -r $(UMALLOC_OBJS) -o $@

ulink = $(call say,LINK,$@) mkdir -p $(@D); \
	$(CC) $(UFLAGS) -static $(filter %.o,$^) $(B)/usr/libravel.a -o $@

ONE_FILE := $(addprefix $(B)/usr/,$(BINS:%=bin/%) $(TESTS:%=tests/%) $(BENCHES:%=bench/%))
$(ONE_FILE): $(B)/usr/%: $(B)/usr/obj/usr/%.o $(B)/usr/libravel.a $(B)/usr/umalloc.o
	$(ulink)

# $(call directory_program,NAME): usr/bin/NAME/*.c together are one program.
define directory_program
$(B)/usr/bin/$(1): $(patsubst %.c,$(B)/usr/obj/%.o,$(wildcard usr/bin/$(1)/*.c)) \
		$(B)/usr/libravel.a $(B)/usr/umalloc.o $(B)/sources
	$$(ulink)
$(B)/oracle/bin/$(1): $(patsubst %.c,$(B)/oracle/obj/%.o,$(wildcard usr/bin/$(1)/*.c)) \
		$(B)/oracle/libravel.a $(B)/oracle/umalloc.o $(B)/sources
	$$(oracle_link)
endef
$(foreach name,$(BINDIRS),$(eval $(call directory_program,$(name))))

$(B)/usr/bench/vmbench: usr/bench/vmbench.c $(B)/user.flags
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(BENCHFLAGS) -o $@ $<

# The same program with each malloc().
MALLOCBENCH := $(patsubst %.c,%.o,$(wildcard usr/bench/mallocbench/*.c))
$(B)/usr/bench/mallocbench: $(B)/usr/umalloc.o
$(B)/usr/bench/mallocbench $(B)/usr/bench/mallocbench-glibc: \
		$(MALLOCBENCH:%=$(B)/usr/obj/%) $(B)/usr/libravel.a $(B)/sources
	$(ulink)

$(B)/usr/bench/traces/%.rep: usr/bench/traces/%.rep.gz
	@mkdir -p $(@D)
	$(call say,GUNZIP,$@) gzip -dc $< >$@

# What scripts put on disks of their own is not on the usual one.
$(HOSTED): $(B)/usr/host/%: $(B)/usr/obj/usr/host/%.o $(B)/usr/libravel.a $(B)/usr/umalloc.o
	$(ulink)

$(B)/disk.img: $(addprefix $(B)/usr/,$(PROGRAMS) $(TRACES:%=bench/traces/%)) scripts/mkdisk \
		$(B)/disk.files
	$(call say,DISK,$@) printf '%s\n' $(PROGRAMS) | TRACES='$(TRACES)' \
		scripts/mkdisk $@ $(B) $(OVERLAY)

# ---- the tests as programs of the host: real Linux is the judge of what they expect

# The tools too are programs of the host: the test "tools" runs them.
ORACLE_BINS := $(addprefix $(B)/oracle/bin/,$(BINS) $(BINDIRS))

oracle: $(TESTS:%=$(B)/oracle/tests/%) $(B)/oracle/runtests $(ORACLE_BINS)

$(B)/oracle/obj/%.o: %.c $(B)/oracle.flags
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<) $(HOSTCC) $(UFLAGS) $(DEPS) -c $< -o $@

$(B)/oracle/libravel.a: $(ULIBSRCS:%.c=$(B)/oracle/obj/%.o) $(B)/sources
	$(call say,AR,$@) rm -f $@; $(AR) rcsD $@ $(filter %.o,$^)

ORACLE_UMALLOC := $(UMALLOC_SRCS:%.c=$(B)/oracle/obj/%.o)
$(ORACLE_UMALLOC): UFLAGS += -fvisibility=hidden -fPIC -ftls-model=initial-exec
$(B)/oracle/umalloc.o: $(ORACLE_UMALLOC) $(B)/sources
	$(call say,HOSTLINK,$@) $(HOSTCC) -nostdlib -r $(ORACLE_UMALLOC) -o $@
# LD_PRELOAD=build/oracle/umalloc.so gives it to any program of this machine.
$(B)/oracle/umalloc.so: $(ORACLE_UMALLOC) $(B)/sources
	$(call say,HOSTLINK,$@) $(HOSTCC) $(UFLAGS) -shared -Wl,-z,initfirst $(ORACLE_UMALLOC) -o $@

$(B)/oracle/bench/mallocbench: $(B)/oracle/umalloc.o
$(B)/oracle/bench/mallocbench $(B)/oracle/bench/mallocbench-glibc: \
		$(MALLOCBENCH:%=$(B)/oracle/obj/%) $(B)/oracle/libravel.a $(B)/sources
	$(call say,HOSTLINK,$@) mkdir -p $(@D); \
		$(HOSTCC) $(UFLAGS) $(filter %.o,$^) $(B)/oracle/libravel.a -o $@

$(B)/oracle/tests/%: $(B)/oracle/obj/usr/tests/%.o $(B)/oracle/libravel.a $(B)/oracle/umalloc.o
	@mkdir -p $(@D)
	$(call say,HOSTLINK,$@) $(HOSTCC) $(UFLAGS) $^ -o $@
$(B)/oracle/runtests: $(B)/oracle/bin/runtests
	$(Q)cp $< $@

oracle_link = $(call say,HOSTLINK,$@) mkdir -p $(@D); \
	$(HOSTCC) $(UFLAGS) $(filter %.o,$^) $(B)/oracle/libravel.a -o $@

$(BINS:%=$(B)/oracle/bin/%): $(B)/oracle/bin/%: $(B)/oracle/obj/usr/bin/%.o $(B)/oracle/libravel.a \
		$(B)/oracle/umalloc.o
	$(oracle_link)

# umalloc natively: for LD_PRELOAD, and the bench.
umalloc: $(B)/oracle/umalloc.so $(B)/oracle/bench/mallocbench $(B)/oracle/bench/mallocbench-glibc \
		$(TRACES:%=$(B)/usr/bench/traces/%)
	$(Q)ln -sfn ../../usr/bench/traces $(B)/oracle/bench/traces

# Sanitizers, real programs under LD_PRELOAD, and the goals of the bench.
test-umalloc: umalloc
	@scripts/umalloc-check

# The shell too: scripts/shell-edit-test types on it.
oracle-sh: $(B)/oracle/bin/sh

include tests/host/host.mk

# ---- what a user types

run: all
	@echo 'Ravel starts in QEMU. Ctrl-A X leaves it (Ctrl-A, let go, X); so does `poweroff`.'
	@python3 scripts/rootimg.py run --interactive

fresh:
	@python3 scripts/rootimg.py fresh

get:
	@python3 scripts/get.py $(B)/root.img "$$FILE" "$$TO"

test: all
	@scripts/test

test-host:
	@scripts/test --host

fuzz:
	@scripts/fuzz.py

coverage:
	@scripts/coverage.py

mutate:
	@scripts/mutants.py

soak: all
	@scripts/soak.py

test-oracle:
	@scripts/check-tools oracle
	@scripts/test --oracle

bench: all
	@scripts/bench.py

policies: all
	@scripts/policies.py

gdb: all
	@scripts/check-tools gdb
	@scripts/gdb/start

exec: all
	@scripts/exec "$$CMD"

C_FILES = $(shell find arch drivers fs kernel lib mm usr tests -name '*.[ch]' \
	! -path usr/bench/vmbench.c 2>/dev/null | sort)

lint:
	@scripts/check-tools lint
	$(Q)status=0; clang-format --dry-run -Werror $(C_FILES) || status=1; \
		scripts/lint.py || status=1; exit $$status

format:
	@scripts/check-tools lint
	$(Q)clang-format -i $(C_FILES)

# A person's files in root.img are no product of the build: `make fresh` forgets them.
clean:
	@[ ! -e $(B)/root.img ] || echo '$(B)/root.img is kept (make fresh removes it)'
	@mkdir -p $(B); find $(B) -mindepth 1 -maxdepth 1 ! -name 'root.*' -exec rm -rf {} +
	@rmdir $(B) 2>/dev/null || :

help:
	@sed -n 's/^#: \?//p' Makefile

#: make               build the kernel (build/ravel.elf) and the disk (build/disk.img)
#: make run           boot to a shell; Ctrl-A X leaves QEMU; the disk is build/root.img, and stays
#: make get FILE=/f   copy a file or a directory out of that disk (TO=directory, else here)
#: make fresh         forget that disk: the next run starts with a new one
#: make test          boot and run every test, with 1 hart and with 4; TEST=fork runs one
#: make test-host     mm/ and lib/ as programs of this machine: unit tests and fuzzers
#: make fuzz SECONDS=60   the fuzzers guided by coverage (clang)
#: make coverage      how much of mm/ and lib/ the host's tests reach
#: make mutate        seeded bugs (tests/mutations/): each must be caught
#: make soak          the disk's tests for ten minutes (power cuts, damaged disks, models), a
#:                    quarter of an hour of power cuts and half an hour without enough memory
#: make test-oracle   run the same tests on this machine's own Linux
#: make bench         instructions per operation, beside Linux's
#: make policies      misses of each policy of page replacement, beside exact LRU and OPT
#: make umalloc       our malloc() for this machine: build/oracle/umalloc.so, bench/mallocbench
#: make test-umalloc  it under sanitizers, under programs of this machine, and measured
#: make exec CMD='..' run one line of the guest's shell (scripts/exec hands out its status)
#: make gdb           boot under gdb
#: make lint, format  check the style; apply it
#: make clean, help   remove build/ but for build/root.img; this text
#:
#: Variables (command line or environment):
#:   MEM=128M  SMP=2       memory (32M and up) and harts (1 to 8); make test: SMP=1 and SMP=4
#:   SWAP=128M             a second disk of this size, /dev/vdb (build/swap.img)
#:   ICOUNT=1              repeatable time: one instruction is 1 ns; one hart
#:   TEST='fork mmap'      only these programs; fork.NAME only this test; SEED=n repeats a run
#:   ROOTFS=dir            laid over the disk image (rootfs/ if it exists): your own programs
#:   APPEND= QEMU_EXTRA=   more of the kernel's, or of QEMU's, command line
#:   V=1                   show every command, and the kernel's boot log in scripts/exec
#:   DEBUG=1               the debug kernel: slower, and checks itself (docs/testing.md)
#:   CI=1                  warnings are errors
#:   NO_INSTALL=1          never call apt; print what is missing
#:   TIMEOUT_IDLE=60       seconds without output: a machine hangs (DEBUG=1: 240)

$(B)/compile_commands.json: $(B)/sources $(K).flags $(B)/user.flags scripts/compile-commands
	$(Q){ printf '%s $(CC) $(KFLAGS)\n' $(KSRCS); printf '%s $(CC) $(UFLAGS)\n' $(USRCS); } | \
		scripts/compile-commands >$@

-include $(KOBJS:.o=.d) $(USRCS:%.c=$(B)/usr/obj/%.d) $(USRCS:%.c=$(B)/oracle/obj/%.d)
