# host.mk - the tests of mm/ and lib/ as programs of this machine; included by the Makefile.
#
#   mm/*.c lib/*.c, unchanged, with tests/host/include before everything \
#   tests/host/*.c: what lies below, the MMU                              }--> build/host/unit
#   tests/host/unit/*.c                                                  /
#   the same with tests/host/fuzz/NAME.c: build/host/fuzz/NAME by HOSTCC,
#                                         build/host/libfuzzer/NAME by clang
#
# A new file in unit/ or fuzz/ needs no line here.

HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_FLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer $(HOST_SANITIZE) $(WARN) \
	-Werror=implicit-function-declaration -Werror=int-conversion \
	-DCONFIG_DEBUG -Itests/host/include -I.
HOST_LINK := -Wl,--defsym=_stext=__executable_start,--defsym=_sdata=__executable_start \
	-Wl,--wrap=lockdep_might_sleep
# At -O0 every nested function (CHECK_PANIC) is called by way of the stack.
# CHECK_PANIC()'s statements are nested functions that use what is around them.
UNIT_LINK := -Wl,-z,execstack
COVERAGE_LINK := $(HOST_LINK) -fsanitize=address -Wl,-u,__gcov_dump
CLANG := $(or $(CLANG),clang)
LIBFUZZER_FLAGS := $(HOST_FLAGS) -fsanitize=fuzzer-no-link -DLIBFUZZER -Wno-unknown-warning-option -Wno-unknown-pragmas

# The counts are the code's own: no sanitizer's branches; its library only, for asan.c.
COVERAGE_FLAGS := $(filter-out $(HOST_SANITIZE) -O1,$(HOST_FLAGS)) -O0 --coverage \
	-fprofile-update=single

# mm/window.c delays real harts; here the simulated ones run in its windows. For mm/debug.c and
# mm/leak.c, the debug kernel's, there is asan.c.
HOST_KSRCS := $(sort $(filter-out mm/window.c mm/debug.c mm/leak.c,$(wildcard mm/*.c)) \
	$(wildcard lib/*.c) \
	kernel/lock.c kernel/wait.c drivers/block.c $(wildcard kernel/lockdep*.c))
HOST_MACHINE := $(sort $(filter-out %/test.c %/fuzz.c, \
	$(wildcard tests/host/*.c tests/host/stubs/*.c)))
HOST_MODEL := $(sort $(wildcard tests/host/model/*.c))
HOST_UNITS := $(sort $(wildcard tests/host/unit/*.c))
HOST_FUZZERS := $(sort $(wildcard tests/host/fuzz/*.c))
FUZZERS := $(HOST_FUZZERS:tests/host/fuzz/%.c=%)
# Elsewhere the host's C library serves; these are the kernel's own, as kernel_memcpy() and so on.
HOST_KLIB := lib/string.c lib/vsnprintf.c $(wildcard tests/host/klib/*.c)
KLIB_NAMES := memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strrchr \
	strstr strlcpy strlcat kstrtoul vsnprintf snprintf scnprintf
KLIB_FLAGS := -ffreestanding $(foreach name,$(KLIB_NAMES),-D$(name)=kernel_$(name))
HOST_SRCS := $(HOST_KSRCS) $(HOST_MACHINE)
HOST_ALL := $(HOST_SRCS) $(HOST_MODEL) $(HOST_UNITS) $(HOST_FUZZERS) tests/host/test.c \
	tests/host/fuzz.c

# What a program is linked of: all that it depends on but for what it has instead.
host_inputs = $(filter-out $(HOST_WITHOUT),$(filter %.o %.a,$^))

# $(call host_objs,directory,sources)
host_objs = $(patsubst %.c,$(B)/host/$(1)/%.o,$(2))

$(B)/host.flags: FORCE
	$(call stamp,echo '$(HOST_FLAGS) $(HOST_LINK)'; $(HOSTCC) --version)
$(B)/libfuzzer.flags: FORCE
	$(call stamp,echo '$(LIBFUZZER_FLAGS)'; $(CLANG) --version)
$(B)/coverage.flags: FORCE
	$(call stamp,echo '$(COVERAGE_FLAGS) $(COVERAGE_LINK)'; $(HOSTCC) --version)
$(B)/host.sources: FORCE
	$(call stamp,echo '$(HOST_ALL)')

$(B)/host/obj/%.o: %.c $(B)/host.flags
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<) $(HOSTCC) $(HOST_FLAGS) $(DEPS) -c $< -o $@

$(B)/host/obj/klib/%.o: %.c $(B)/host.flags
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<) $(HOSTCC) $(HOST_FLAGS) $(KLIB_FLAGS) $(DEPS) -c $< -o $@

$(B)/host/cov/klib/%.o: %.c $(B)/coverage.flags
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<) $(HOSTCC) $(COVERAGE_FLAGS) $(KLIB_FLAGS) $(DEPS) -c $< -o $@

$(B)/host/clang/klib/%.o: %.c $(B)/libfuzzer.flags
	@mkdir -p $(@D)
	$(call say,CLANG,$<) $(CLANG) $(LIBFUZZER_FLAGS) $(KLIB_FLAGS) $(DEPS) -c $< -o $@

$(B)/host/cov/%.o: %.c $(B)/coverage.flags
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<) $(HOSTCC) $(COVERAGE_FLAGS) $(DEPS) -c $< -o $@

$(B)/host/clang/klib/%.o: %.c $(B)/libfuzzer.flags
	@mkdir -p $(@D)
	$(call say,CLANG,$<) $(CLANG) $(LIBFUZZER_FLAGS) $(KLIB_FLAGS) $(DEPS) -c $< -o $@

$(B)/host/clang/%.o: %.c $(B)/libfuzzer.flags
	@mkdir -p $(@D)
	$(call say,CLANG,$<) $(CLANG) $(LIBFUZZER_FLAGS) $(DEPS) -c $< -o $@

# What fuzzers need is there too: for unit tests that they printed.
UNIT_SRCS := $(HOST_SRCS) tests/host/test.c $(HOST_MODEL) kernel/elf.c $(HOST_UNITS)
$(B)/host/unit: $(call host_objs,obj,$(UNIT_SRCS)) \
		$(call host_objs,obj/klib,$(HOST_KLIB)) $(B)/host.sources
	$(call say,HOSTLINK,$@) $(HOSTCC) $(HOST_FLAGS) $(HOST_LINK) $(UNIT_LINK) $(host_inputs) -o $@

COVERAGE := $(B)/host/coverage/unit $(FUZZERS:%=$(B)/host/coverage/%)
$(B)/host/coverage/unit: $(call host_objs,cov,$(UNIT_SRCS)) \
		$(call host_objs,cov/klib,$(HOST_KLIB)) $(B)/host.sources
	@mkdir -p $(@D)
	$(call say,HOSTLINK,$@) $(HOSTCC) $(COVERAGE_FLAGS) $(COVERAGE_LINK) $(UNIT_LINK) \
		$(host_inputs) -o $@

COVERAGE_LIB := $(call host_objs,cov,$(HOST_SRCS) tests/host/fuzz.c)
$(FUZZERS:%=$(B)/host/coverage/%): $(B)/host/coverage/%: $(B)/host/cov/tests/host/fuzz/%.o \
		$(COVERAGE_LIB) $(B)/host.sources
	@mkdir -p $(@D)
	$(call say,HOSTLINK,$@) $(HOSTCC) $(COVERAGE_FLAGS) $(COVERAGE_LINK) \
		$(host_inputs) -o $@

# What only one fuzzer needs: $(call fuzz_also,its name,sources)
define fuzz_also
$(B)/host/fuzz/$(1): $(call host_objs,obj,$(2))
$(B)/host/libfuzzer/$(1): $(call host_objs,clang,$(2))
$(B)/host/coverage/$(1): $(call host_objs,cov,$(2))
endef
$(eval $(call fuzz_also,elf,kernel/elf.c))
# The oracle of address spaces; unit tests that the fuzzer printed use it too.
$(eval $(call fuzz_also,mm,$(HOST_MODEL)))

# ext2 stands on files and a disk of its own, instead of stubs/files.c.
EXT2_SRCS := $(wildcard fs/ext2/*.c) $(addprefix fs/,inode.c dcache.c super.c mpage.c writeback.c \
	file_write.c bdev.c permission.c) $(wildcard tests/host/fs/*.c)
$(eval $(call fuzz_also,ext2,$(EXT2_SRCS)))
EXT2_PROGRAMS := $(foreach dir,fuzz libfuzzer coverage,$(B)/host/$(dir)/ext2)
$(EXT2_PROGRAMS): HOST_WITHOUT := %/tests/host/stubs/files.o %/tests/host/disk.o

# What the fuzzer of ext2 mounts: a little tree, in blocks of 1 KiB (two groups) and of 4 KiB.
EXT2_TREE := $(B)/host/ext2-tree
EXT2_IMAGES := $(B)/host/ext2-1k.img $(B)/host/ext2-4k.img
$(EXT2_TREE): tests/host/fs/tree.sh
	$(call say,TREE,$@) sh $< $@
$(B)/host/ext2-1k.img: MKE2FS_ARGS := -b 1024 -g 256 -N 64
$(B)/host/ext2-4k.img: MKE2FS_ARGS := -b 4096 -N 48
$(EXT2_IMAGES): $(EXT2_TREE) tests/host/host.mk
	$(call say,MKE2FS,$@) rm -f $@ && truncate -s 512K $@ && \
	PATH=$$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext2 -m 0 \
		-O ^resize_inode,^dir_index,^ext_attr,sparse_super,filetype,large_file \
		$(MKE2FS_ARGS) -d $(EXT2_TREE) $@
$(EXT2_PROGRAMS): $(EXT2_IMAGES)

# Of the kernel's own strings and formats this machine's library is the oracle.
$(B)/host/fuzz/strings: $(call host_objs,obj/klib,$(HOST_KLIB))
$(B)/host/libfuzzer/strings: $(call host_objs,clang/klib,$(HOST_KLIB))
$(B)/host/coverage/strings: $(call host_objs,cov/klib,$(HOST_KLIB))

# libfdt is the oracle of lib/fdt.c, which has functions of the same names: here they begin with lib.
$(B)/host/unit $(B)/host/coverage/unit $(foreach dir,fuzz libfuzzer coverage,$(B)/host/$(dir)/fdt): \
		$(B)/host/libfdt.a
$(B)/host/libfdt.a: $(B)/host.flags
	@mkdir -p $(@D)
	$(call say,OBJCOPY,$@) \
	from=$$($(HOSTCC) -print-file-name=libfdt.a) && \
	nm -g --defined-only "$$from" | awk 'NF == 3 { print $$3, "lib" $$3 }' >$@.names && \
	objcopy --redefine-syms=$@.names "$$from" $@

host-coverage: $(COVERAGE)
libfuzzer: $(FUZZERS:%=$(B)/host/libfuzzer/%)
host: $(B)/host/unit $(FUZZERS:%=$(B)/host/fuzz/%)

HOST_LIB := $(call host_objs,obj,$(HOST_SRCS) tests/host/fuzz.c)
$(FUZZERS:%=$(B)/host/fuzz/%): $(B)/host/fuzz/%: $(B)/host/obj/tests/host/fuzz/%.o $(HOST_LIB) \
		$(B)/host.sources
	@mkdir -p $(@D)
	$(call say,HOSTLINK,$@) $(HOSTCC) $(HOST_FLAGS) $(HOST_LINK) $(host_inputs) -o $@

CLANG_LIB := $(call host_objs,clang,$(HOST_SRCS) tests/host/fuzz.c)
$(FUZZERS:%=$(B)/host/libfuzzer/%): $(B)/host/libfuzzer/%: $(B)/host/clang/tests/host/fuzz/%.o \
		$(CLANG_LIB) $(B)/host.sources
	@mkdir -p $(@D)
	$(call say,LINK,$@) $(CLANG) $(LIBFUZZER_FLAGS) -fsanitize=fuzzer $(HOST_LINK) \
		$(host_inputs) -o $@

HOST_SEEN := $(HOST_ALL) $(EXT2_SRCS) kernel/elf.c
-include $(patsubst %.o,%.d,$(foreach dir,obj clang cov,$(call host_objs,$(dir),$(HOST_SEEN))) \
	$(foreach dir,obj clang cov,$(call host_objs,$(dir)/klib,$(HOST_KLIB))))
