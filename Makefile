# confkit: one Makefile. What a module may use and links with stands in
# tests/layers.tsv and nowhere else; tests/tests.mk has the test tiers.
# V=1 shows commands; SAN=1 builds with ASan and UBSan into .build/asan.

VERSION  := 0.1
PREFIX   ?= /usr/local
CC       ?= cc
AR       ?= ar
PKGCONF  ?= pkg-config
O        := .build
B        := $(O)$(if $(SAN),/asan)$(if $(FUZZ),/fuzz)
Q        := $(if $(V),,@)

WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla \
            $(if $(CI),-Werror)
HARDENING := -fstack-protector-strong -fstack-clash-protection \
            -fcf-protection -ftrivial-auto-var-init=zero \
            -fzero-call-used-regs=used
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all \
            -fno-omit-frame-pointer
CFLAGS   ?= -O2 -g

# HARDEN: those that this compiler takes. Before it is installed: none yet.
harden   := $(O)/harden-$(notdir $(firstword $(CC))).mk
-include $(harden)
$(harden): Makefile
	@mkdir -p $(O)
	@! command -v $(firstword $(CC)) >/dev/null || { \
	  printf 'HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3' && \
	  for f in $(HARDENING); do $(CC) -Werror $$f -x c -c /dev/null \
	    -o /dev/null 2>/dev/null && printf ' %s' $$f; done; echo; } >$@

ALLFLAGS := -std=c11 -D_GNU_SOURCE -fPIC -MMD -MP $(WARN) \
            -DCONF_VERSION='"$(VERSION)"' -DCONF_PREFIX='"$(PREFIX)"' \
            $(if $(SAN)$(FUZZ),$(SANFLAGS),$(HARDEN)) $(CFLAGS)
LINK     := $(CFLAGS) $(if $(SAN)$(FUZZ),$(SANFLAGS),-pie) \
            -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(LDFLAGS)
ifdef FUZZ
CC       := clang
ALLFLAGS += -fsanitize=fuzzer-no-link
endif

# M_USES, M_CLOSURE (itself first) and M_LINKS (of the whole closure) of
# every row, and MODULES and TOOLS, come from the table.
.DEFAULT_GOAL := all
-include $(O)/layers.mk
$(O)/layers.mk: tests/layers.tsv tests/layers.awk
	@mkdir -p $(O)
	$(Q)awk -f tests/layers.awk tests/layers.tsv >$@.tmp && mv $@.tmp $@

# 'libs NAMES': what the linker needs for pkg-config names and -l words.
pc_names  = $(filter-out -l%,$1)
missing  := $(foreach p,$(call pc_names,$(ALL_LINKS)),\
              $(shell $(PKGCONF) --exists $p 2>/dev/null || echo $p))
wslay_ok := $(wildcard /usr/include/wslay/wslay.h /usr/local/include/wslay/wslay.h)
missing  += $(if $(wslay_ok),,-lwslay)
libs      = $(filter -l%,$1) $(if $(call pc_names,$1),\
              $(shell $(PKGCONF) --libs $(call pc_names,$1)))
lacks     = $(filter $(missing),$($1_LINKS))
dropped  := $(foreach t,$(TOOLS),$(if $(call lacks,$t),$t))
built    := $(foreach t,$(filter-out $(dropped),$(TOOLS)),\
              $(if $(wildcard cmd/$t.c),$t))
archives  = $(foreach m,$(filter $(MODULES),$($1_CLOSURE)),$B/lib/$m.a)
quotes    = $(foreach m,$1 $($1_USES),-iquote lib/$m)

WWW := $(patsubst lib/web/%,$B/share/confkit/%,$(wildcard lib/web/www/*))
all: $(built:%=$B/bin/%) $(WWW)
	@$(foreach t,$(dropped),echo "make: $t is left out: missing$(foreach \
	  l,$(call lacks,$t), $l) (make deps installs it)";)

# The client as it is served: comments, which stand on lines of their own,
# stay here. Where it goes is where confd-signal looks beside itself.
$B/share/confkit/www/%: lib/web/www/%
	@mkdir -p $(@D)
	$(Q)case $< in *.js|*.css) awk '/^[ \t]*\/\*/ { skip = 1 } \
	  !skip; skip && /\*\/[ \t]*$$/ { skip = 0 }' $<;; *) cat $<;; esac >$@

# One archive and one shared object (link check) for each module. The list
# of objects is kept beside the archive: a source that went away remakes it.
$(shell mkdir -p $B/lib)
define module_rules
$1_OBJ := $$(patsubst %.c,$B/obj/%.o,$$(wildcard lib/$1/*.c))
$$(if $$(strip $$(if $$(wildcard $B/lib/$1.list),,new) \
  $$(subst :$$(strip $$(file <$B/lib/$1.list)):,,:$$(strip $$($1_OBJ)):)),\
  $$(file >$B/lib/$1.list,$$($1_OBJ)))
$B/lib/$1.a: $$($1_OBJ) $B/lib/$1.list
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$($1_OBJ)
$B/obj/lib/$1/%.o: lib/$1/%.c $(O)/layers.mk $(harden)
	@mkdir -p $$(@D)
	$$(if $$(V),,@echo "  CC $$<")
	$$(Q)$$(CC) $$(ALLFLAGS) $$(call quotes,$1) -c -o $$@ $$<
$B/layers/$1.so: $$(call archives,$1)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) -shared -Wl,-z,defs -o $$@ -Wl,--whole-archive \
	  $B/lib/$1.a -Wl,--no-whole-archive \
	  $$(filter-out $B/lib/$1.a,$$^) $$(call libs,$$($1_LINKS)) -lm
endef
$(foreach m,$(MODULES),$(eval $(call module_rules,$m)))

define tool_rules
$B/obj/cmd/$1.o: cmd/$1.c $(O)/layers.mk $(harden)
	@mkdir -p $$(@D)
	$$(if $$(V),,@echo "  CC $$<")
	$$(Q)$$(CC) $$(ALLFLAGS) $$(call quotes,$1) -c -o $$@ $$<
$B/bin/$1: $B/obj/cmd/$1.o $$(call archives,$1)
	@mkdir -p $$(@D)
	$$(if $$(V),,@echo "  LD $$@")
	$$(Q)$$(CC) $$(LINK) -o $$@ $$^ $$(call libs,$$($1_LINKS)) -lm
endef
$(foreach t,$(TOOLS),$(eval $(call tool_rules,$t)))

present := $(foreach m,$(MODULES),$(if $(wildcard lib/$m/*.c),$m))
layers: $(present:%=$B/layers/%.so)
	@echo "layers: $(words $(present)) modules link against their rows only"

run: deps
	@$(MAKE) --no-print-directory all >&2
	@exec examples/hello-meeting/run

deps deps-check:
	@tests/deps $@

install: all
	@for t in $(built); do \
	  install -Dm755 $B/bin/$$t $(DESTDIR)$(PREFIX)/bin/$$t || exit 1; done
	@for p in man/man*/*; do install -Dm644 $$p \
	  $(DESTDIR)$(PREFIX)/share/$$p || exit 1; done
	@for f in $(WWW:$B/%=%); do install -Dm644 $B/$$f \
	  $(DESTDIR)$(PREFIX)/$$f || exit 1; done
	@for t in $(built); do $B/bin/$$t --completion >/dev/null 2>&1 || \
	  continue; d=$(DESTDIR)$(PREFIX)/share/bash-completion/completions; \
	  mkdir -p $$d && $B/bin/$$t --completion >$$d/$$t || exit 1; done

uninstall:
	@for t in $(TOOLS); do rm -f $(DESTDIR)$(PREFIX)/bin/$$t \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$t; done
	@for p in man/man*/*; do rm -f $(DESTDIR)$(PREFIX)/share/$$p; done
	@rm -rf $(DESTDIR)$(PREFIX)/share/confkit

clean:
	@rm -rf $(O)

include tests/tests.mk
-include $(shell find $B/obj -name '*.d' 2>/dev/null)
.PHONY: all layers run deps deps-check install uninstall clean
.DELETE_ON_ERROR:
