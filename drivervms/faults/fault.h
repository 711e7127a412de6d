/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cm_fault: one fault of a chosen class, everything else drawn from a seed. What each class does: docs/interfaces/faults.md. */
#ifndef CM_FAULT_H
#define CM_FAULT_H

#include <linux/types.h>

struct fault_random {
	u64 state;
};

/* SplitMix64, as drivervms/probe/pattern.hpp. */
u64 fault_next(struct fault_random *random);
u64 fault_below(struct fault_random *random, u64 bound);

/* The address of any symbol of the kernel; 0 if there is none. */
unsigned long fault_symbol(const char *name);
/* The start of the function around an address of code; 0 if there is none. */
unsigned long fault_function_at(unsigned long address);
/* Page frames of the VM. */
unsigned long fault_pages(void);

/* Says what is about to happen, on the console, before it does. */
__printf(1, 2) void fault_announce(const char *format, ...);

int fault_mark(void);

/* Each returns 0, or an error before it did anything. Some do not return. */
int fault_text(struct fault_random *random);
int fault_module(struct fault_random *random);
int fault_data(struct fault_random *random);
int fault_stack(struct fault_random *random);
int fault_pagetable(struct fault_random *random);
int fault_call(struct fault_random *random);
int fault_ring(struct fault_random *random);
int fault_dma(struct fault_random *random);
int fault_msi(struct fault_random *random);
int fault_spin(struct fault_random *random);
int fault_exhaust(struct fault_random *random);

#endif
