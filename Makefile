# steward: one C program.  `make help` lists the targets.
CC       ?= gcc
BUILD    ?= build
PREFIX   ?= /usr/local
OPT      ?= -O2 -g
SAN      ?=
VERSION  := $(shell cat VERSION 2>/dev/null || echo 0.1.0)

PKGS     := libh2o-evloop libcurl libpq json-c openssl sqlite3 icu-i18n icu-uc libical libxxhash
# Headers only: embeddings/blas.c loads the library when it is needed.
LOADED   := blas
# Asked only when something is built, so that `make deps` works on a machine that has none of them yet.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS) $(LOADED)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)) -lstemmer -lwslay -lpthread -lm)$(PKG_LIBS)

WARN     := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wconversion -Wno-sign-conversion -Wformat=2 -Werror
# tests/flow/flow_hardening.py looks for each of these in the binary.  A sanitizer has checks of its own.
ARCH     := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
FORTIFY  := $(or $(strip $(shell printf '\043if __GNUC__ >= 12 || __clang_major__ >= 14\n3\n\043endif\n' | $(CC) -E -P - 2>/dev/null)),2)
HARDEN   := -fPIE -fstack-protector-strong -fstack-clash-protection $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(FORTIFY)) \
            $(if $(filter x86_64,$(ARCH)),-fcf-protection=full) $(if $(filter aarch64,$(ARCH)),-mbranch-protection=standard)
CFLAGS_ALL = -std=c11 -D_GNU_SOURCE -DSTEWARD_VERSION='"$(VERSION)"' -I. -I$(BUILD)/gen $(OPT) $(SAN) $(WARN) $(HARDEN) $(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(SAN) $(LDFLAGS)

SRC      := $(filter-out bot/main.c,$(wildcard base/*.c store/*.c embeddings/*.c router/*.c bot/*.c))
OBJ      := $(SRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/gen/assets.o
LIB      := $(BUILD)/libsteward.a
SQL      := $(sort $(wildcard migrations/*.sql))
ASSETS   := $(SQL) $(wildcard bot/assets/*)
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

# make V=1 shows the commands
Q := $(if $(V),,@)

all: $(BUILD)/steward ## build the program

$(BUILD)/steward: $(BUILD)/obj/bot/main.o $(LIB)
	@echo "  LD $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(LIB) $(PKG_LIBS)

$(LIB): $(OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

# The same program with faults to be injected at its borders (base/fault.h): the objects in front of the library win.
FAULT_OBJ := $(patsubst %,$(BUILD)/obj/faults/%.o,base/fault base/http store/db store/db_fault store/outbox)
$(BUILD)/steward-faults: $(BUILD)/obj/bot/main.o $(FAULT_OBJ) $(LIB)
	@echo "  LD $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(FAULT_OBJ) $(LIB) $(PKG_LIBS)

$(BUILD)/obj/faults/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(CFLAGS_ALL) -DSTEWARD_FAULTS -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/gen/assets.c: .ci/embed $(ASSETS)
	@mkdir -p $(@D)
	$(Q)sh .ci/embed $(ASSETS) > $@.tmp && mv $@.tmp $@
$(BUILD)/obj/gen/assets.o: $(BUILD)/gen/assets.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(shell pkg-config --cflags check) -MMD -MP $(LDFLAGS_ALL) -o $@ $< $(LIB) $(shell pkg-config --libs check) $(PKG_LIBS)

-include $(OBJ:.o=.d) $(FAULT_OBJ:.o=.d) $(BUILD)/obj/bot/main.d

deps: ## install what the build needs (Debian: apt-get)
	@sh .ci/deps build

run: deps ## install what is missing, build, start on the embedded database
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(BUILD)/steward
	@exec $(BUILD)/steward

unit: $(UNIT) ## build and run the unit tests alone
	@for t in $(UNIT); do $$t || exit 1; done

test: ## build and run every test, on SQLite and PostgreSQL
	@sh .ci/deps test
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(BUILD)/steward $(BUILD)/steward-faults $(UNIT)
	@/usr/bin/python3 tests/run.py --build $(BUILD)

asan: ## the unit tests and flows under AddressSanitizer and UBSan
	@sh .ci/deps test
	@$(MAKE) --no-print-directory -s -j$$(nproc) BUILD=build/asan OPT="-O1 -g -fno-omit-frame-pointer" SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" build/asan/steward build/asan/steward-faults asan-unit
	@LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp ASAN_OPTIONS=detect_stack_use_after_return=1 /usr/bin/python3 tests/run.py --build build/asan --no-browser
asan-unit: $(UNIT)

tsan: ## the unit tests and flows under ThreadSanitizer
	@sh .ci/deps test
	@$(MAKE) --no-print-directory -s -j$$(nproc) BUILD=build/tsan OPT="-O1 -g -fno-omit-frame-pointer" SAN="-fsanitize=thread" build/tsan/steward build/tsan/steward-faults asan-unit
	@TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp halt_on_error=0 exitcode=66" /usr/bin/python3 tests/run.py --build build/tsan --no-browser

$(BUILD)/bench/bench_matrix: tests/bench/bench_matrix.c $(LIB)
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(LIB) $(PKG_LIBS)

$(BUILD)/bench/bench_chats $(BUILD)/bench/bench_polls: $(BUILD)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARN) -o $@ $<

$(BUILD)/bench/bench_clock.so: tests/bench/bench_clock.c
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared $(WARN) -o $@ $< -ldl

bench: ## ratios against named counterparts (grammY, python-telegram-bot, numpy, FAISS, …), and search quality
	@sh .ci/deps test
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(BUILD)/steward $(addprefix $(BUILD)/bench/,bench_matrix bench_chats bench_polls bench_clock.so)
	@tests/bench/run --build $(BUILD)
	@/usr/bin/python3 tests/quality/cacm.py $(BUILD)/steward

fuzz: ## every fuzzer for ten minutes
	@sh .ci/deps test
	@sh tests/fuzz/run long

soak: ## 100,000 updates within 512 MB and half a core: nothing lost, nothing that grows (five minutes)
	@sh .ci/deps test
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(BUILD)/steward
	@/usr/bin/python3 tests/soak/soak.py --build $(BUILD)

check: ## format, layers and include fences, static analysis
	@sh .ci/deps check
	@sh .ci/check

install: $(BUILD)/steward ## install under PREFIX (DESTDIR is honoured)
	install -D -m 0755 $(BUILD)/steward $(DESTDIR)$(PREFIX)/bin/steward
	ln -sf steward $(DESTDIR)$(PREFIX)/bin/claude-notify

clean: ## remove what was built
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: all deps run unit test asan asan-unit tsan bench fuzz soak check install clean help
