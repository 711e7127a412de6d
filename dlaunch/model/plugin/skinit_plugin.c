/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU TCG plugin: stops the virtual machine at a SKINIT instruction (0F 01 DE), before it executes.
 *
 * It uses QEMU's plugin interface and a few exported internals of QEMU, so it is a work based on QEMU and is
 * licensed as QEMU's plugin interface is; everything else in this project is Apache-2.0 and talks to it only
 * over a pipe and the debugger socket. docs/adr/0001-skinit-by-plugin.md says why it exists.
 *
 * At each SKINIT about to execute:
 *   1. an SVM intercept by the guest's own hypervisor goes first, as on hardware;
 *   2. a byte in the verdict pipe (the model refused this very instruction) is obeyed: 'g' raises #GP(0),
 *      'u' lets QEMU raise its own #UD;
 *   3. otherwise the vCPU goes back to its main loop with a debugger breakpoint on this instruction, so the
 *      debugger stub stops the machine there with exact state. The model removes the breakpoint.
 *
 * After the launch (two bytes in the pipe) it takes its callback back, then reads them: an empty pipe says that it has left.
 * Code that was translated for a plugin is slower, and a machine is launched once. From then on SKINIT is QEMU's own: an
 * intercept first, else #UD.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#if !defined(__x86_64__)
#error "TCG keeps the CPU state pointer in a host register that is known here for x86-64 hosts only"
#endif

#define EXPORT __attribute__((visibility("default")))

/* --- QEMU's plugin interface, version 1 (7.2) or 3 (9.1 and later): just what is used here --------------- */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct {
    const char* target_name;
    struct { int min, cur; } version;
    bool system_emulation;
    struct { int smp_vcpus, max_vcpus; } system;
} qemu_info_t;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_CB_R_REGS, QEMU_PLUGIN_CB_RW_REGS };
typedef void (*tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb* tb);
typedef void (*vcpu_udata_cb)(unsigned vcpu_index, void* userdata);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn* insn, vcpu_udata_cb cb,
                                            enum qemu_plugin_cb_flags flags, void* userdata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* tb);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* tb, size_t index);
#if PLUGIN_INTERFACE == 1
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn* insn);
#else
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn* insn, void* to, size_t size);
#endif
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn* insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn* insn);
void qemu_plugin_reset(qemu_plugin_id_t id, void (*done)(qemu_plugin_id_t id));
EXPORT int qemu_plugin_version = PLUGIN_INTERFACE;

/* --- QEMU's internals ------------------------------------------------------------------------------------ */
void* qemu_get_cpu(int index);
int cpu_breakpoint_insert(void* cpu, uint64_t pc, int flags, void** breakpoint);
void cpu_loop_exit_restore(void* cpu, uintptr_t host_pc) __attribute__((noreturn));
void cpu_svm_check_intercept_param(void* env, uint32_t type, uint64_t param, uintptr_t host_pc);
void raise_exception_err_ra(void* env, int exception, int error_code, uintptr_t host_pc) __attribute__((noreturn));

enum { SVM_EXIT_SKINIT = 0x86, EXCP0D_GPF = 13, BP_GDB = 0x10 };
enum { launched_bytes = 2 }; /* in the pipe; a verdict is one */
enum { cpu_object_limit = 1 << 20 }; /* CPUX86State lies inside the CPU object, well below this offset */

static int verdict_fd = -1;
static int vcpu_count;
static volatile bool stopped_once;

static void check_state_pointer(const void* cpu, const void* env) {
    if (cpu && (uintptr_t)env > (uintptr_t)cpu && (uintptr_t)env - (uintptr_t)cpu < cpu_object_limit) return;
    fprintf(stderr, "skinit plugin: this QEMU build keeps its CPU state elsewhere; cannot model SKINIT\n");
    exit(1);
}

/* Called by the trampoline below, in place of the plugin callback, with what only the call site knows. */
__attribute__((used)) void stop_at_skinit(unsigned vcpu_index, void* address, void* env, uintptr_t host_pc) {
    void* cpu = qemu_get_cpu((int)vcpu_index);
    check_state_pointer(cpu, env);
    cpu_svm_check_intercept_param(env, SVM_EXIT_SKINIT, 0, host_pc); /* does not return if intercepted */
    char verdict;
    if (read(verdict_fd, &verdict, 1) == 1) {
        if (verdict == 'g') raise_exception_err_ra(env, EXCP0D_GPF, 0, host_pc);
        return;
    }
    stopped_once = true;
    for (int i = 0; i < vcpu_count; i++)
        cpu_breakpoint_insert(qemu_get_cpu(i), (uint64_t)(uintptr_t)address, BP_GDB, NULL);
    cpu_loop_exit_restore(cpu, host_pc);
}

/* TCG code calls this with the CPU state pointer in RBP (its AREG0 on x86-64 hosts) and, on the stack, the
   return address inside the translated block, from which QEMU can restore the exact guest state. */
__attribute__((naked)) static void skinit_trampoline(unsigned vcpu_index, void* address) {
    (void)vcpu_index;
    (void)address;
    __asm__("movq %rbp, %rdx\n\tmovq (%rsp), %rcx\n\tjmp stop_at_skinit");
}

static bool is_prefix(uint8_t byte) {
    switch (byte) {
    case 0x26: case 0x2E: case 0x36: case 0x3E: case 0x64: case 0x65: /* segments */
    case 0x66: case 0x67: case 0xF2: case 0xF3: return true;
    default: return (byte & 0xF0) == 0x40; /* REX; elsewhere INC or DEC, which nothing follows */
    }
}

/* The bytes of exactly one instruction. Not just a search: the opcode may be another instruction's immediate. */
static bool is_skinit(const uint8_t* bytes, size_t size) {
    static const uint8_t opcode[] = {0x0F, 0x01, 0xDE};
    for (; size > sizeof opcode; bytes++, size--)
        if (!is_prefix(*bytes)) return false;
    return size == sizeof opcode && memcmp(bytes, opcode, sizeof opcode) == 0;
}

static bool is_launched(void) {
    int waiting = 0;
    return stopped_once && ioctl(verdict_fd, FIONREAD, &waiting) == 0 && waiting == launched_bytes;
}

static void on_reset(qemu_plugin_id_t id) {
    (void)id;
    char launched[launched_bytes];
    if (read(verdict_fd, launched, sizeof launched) != sizeof launched) fprintf(stderr, "skinit plugin: the pipe is gone\n");
}

static bool insn_is_skinit(const struct qemu_plugin_insn* insn) {
#if PLUGIN_INTERFACE == 1
    return is_skinit(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
#else
    uint8_t bytes[16];
    return is_skinit(bytes, qemu_plugin_insn_data(insn, bytes, sizeof bytes));
#endif
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
    if (is_launched()) return qemu_plugin_reset(id, on_reset); /* flushes all translated code, soon */
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
        if (!insn_is_skinit(insn)) continue;
        qemu_plugin_register_vcpu_insn_exec_cb(insn, skinit_trampoline, QEMU_PLUGIN_CB_RW_REGS,
                                               (void*)(uintptr_t)qemu_plugin_insn_vaddr(insn));
    }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* info, int argc, char** argv) {
    if (argc != 1 || sscanf(argv[0], "verdict=%d", &verdict_fd) != 1) {
        fprintf(stderr, "skinit plugin: needs verdict=FD\n");
        return 1;
    }
    if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0) return 1;
    vcpu_count = info->system.smp_vcpus;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
