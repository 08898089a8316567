# Test tiers. Unit tests are tests/unit/MODULE-NAME.c, linked with MODULE's
# closure and cmocka; programs for tests are tests/prog/MODULE-NAME.c, the
# same without cmocka; fuzz targets tests/fuzz/MODULE-NAME.c with a corpus
# in tests/fuzz/corpus/MODULE-NAME/; shell tests tests/sh/*.t; browser tests
# tests/web/*.mjs; long ones tests/soak/*.t. All speak TAP.

UNIT_SRC := $(wildcard tests/unit/*.c)
PROG_SRC := $(wildcard tests/prog/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/*.c)
UNIT     := $(UNIT_SRC:tests/unit/%.c=$B/test/%)
PROG     := $(PROG_SRC:tests/prog/%.c=$B/test/%)
SHELL_T  := $(wildcard tests/sh/*.t)
WEB_T    := $(wildcard tests/web/*.t.mjs)
FUZZ_SECONDS ?= 60

mod_of = $(firstword $(subst -, ,$1))
# A test of two modules that know nothing of each other names the second.
also_hub-relay := relayctl
also_hub-echo := relayctl
mods_of = $(call mod_of,$1) $(also_$1)

# Tests that include oom.h have their allocations go by way of it.
OOM_SRC := $(if $(UNIT_SRC),$(shell grep -l '"oom\.h"' $(UNIT_SRC)))
OOM_LD  := $(addprefix -Xlinker --wrap=,malloc calloc realloc strdup strndup)

# 'test_rules NAME SOURCE-DIR LIBS'
define test_rules
$B/test/$1: tests/$2/$1.c $(foreach m,$(call mods_of,$1),\
  $(call archives,$m))
	@mkdir -p $$(@D) $B/obj/tests
	$$(if $$(V),,@echo "  LD $$@")
	$$(Q)$$(CC) $$(filter-out -fsanitize=fuzzer-no-link,$$(ALLFLAGS)) \
	  -MF $B/obj/tests/$1.d $(call quotes,$(call mod_of,$1)) \
	  $(foreach m,$(call mods_of,$1),$($m_CLOSURE:%=-iquote lib/%)) \
	  $(if $(filter fuzz,$2),-fsanitize=fuzzer) \
	  $(if $(filter tests/$2/$1.c,$(OOM_SRC)),$(OOM_LD)) -o $$@ $$< \
	  -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
	  $$(call libs,$(sort $(foreach m,$(call mods_of,$1),$($m_LINKS)))) $3 -lm
endef
ifndef FUZZ
$(foreach t,$(UNIT_SRC:tests/unit/%.c=%),$(eval $(call \
  test_rules,$t,unit,-lcmocka)))
$(foreach t,$(PROG_SRC:tests/prog/%.c=%),$(eval $(call test_rules,$t,prog,)))
else
$(foreach t,$(FUZZ_SRC:tests/fuzz/%.c=%),$(eval $(call test_rules,$t,fuzz,)))
fuzz-bin: $(FUZZ_SRC:tests/fuzz/%.c=$B/test/%)
endif

test-bin: all $(UNIT) $(PROG)

# Building takes every core, whatever make was told; tests run one by one.
ALL_CORES := --no-print-directory -j$(shell nproc)

check: deps-check
	@$(MAKE) --no-print-directory check-run

check-run:
	@$(MAKE) $(ALL_CORES) test-bin $(if $(SAN),,layers)
	@$(if $(SAN),,$(MAKE) $(ALL_CORES) FUZZ=1 fuzz-bin)
	@B=$B tests/run tests/style $(UNIT) $(if $(SAN),,tests/fuzz/run) \
	  $(SHELL_T) $(WEB_T)

# Unit and shell tests of one's own, without installing: make t T=wire-rtp
t: test-bin
	@B=$B tests/run $(foreach n,$(T),$(wildcard $B/test/$n tests/sh/$n.t \
	  tests/web/$n.t.mjs tests/$n))

check-asan: deps-check
	@$(MAKE) --no-print-directory SAN=1 check-run

soak: deps-check
	@$(MAKE) $(ALL_CORES) test-bin
	@$(MAKE) $(ALL_CORES) FUZZ=1 fuzz-bin
	@FUZZ_SECONDS=$(FUZZ_SECONDS) B=$B tests/run tests/fuzz/run \
	  $(wildcard tests/soak/*.t)

fuzz:
	@$(MAKE) $(ALL_CORES) FUZZ=1 fuzz-bin
	@FUZZ_SECONDS=$(FUZZ_SECONDS) B=$B tests/run tests/fuzz/run

bench: deps-check
	@$(MAKE) $(ALL_CORES) test-bin
	@for b in tests/bench/*; do B=$B $$b || exit 1; done

# What the page looks like now becomes what it has to look like, also in the
# README; to be looked at before it is committed.
look-accept: deps-check
	@$(MAKE) $(ALL_CORES) test-bin
	@LOOK=accept B=$B tests/run tests/soak/look.t

.PHONY: look-accept test-bin check check-run check-asan soak fuzz fuzz-bin bench t
