// SPDX-License-Identifier: GPL-2.0-or-later
// Code that runs where it should not, for ever, or takes everything.
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "fault.h"

typedef long (*any_function)(u64, u64, u64, u64, u64, u64);

static u64 garbage(struct fault_random *random)
{
	switch (fault_below(random, 4)) {
	case 0:
		return fault_below(random, 4096);
	case 1:
		return fault_symbol("_stext") + fault_below(random, fault_symbol("__bss_stop") - fault_symbol("_stext"));
	case 2:
		return (u64)__va(fault_below(random, fault_pages()) << PAGE_SHIFT) + 8 * fault_below(random, 512);
	default:
		return fault_next(random);
	}
}

int fault_call(struct fault_random *random)
{
	const unsigned long start = fault_symbol("_stext"), end = fault_symbol("_etext");
	unsigned int count = 1 + fault_below(random, 8);

	while (count--) {
		const unsigned long function = fault_function_at(start + fault_below(random, end - start));
		u64 a = garbage(random), b = garbage(random), c = garbage(random);

		if (!function)
			continue;
		fault_announce("target=%ps arguments=%llx,%llx,%llx", (void *)function, a, b, c);
		((any_function)function)(a, b, c, garbage(random), garbage(random), garbage(random));
	}
	return 0;
}

int fault_spin(struct fault_random *random)
{
	fault_announce("target=interrupts-off");
	local_irq_disable();
	for (;;)
		cpu_relax();
}

/* Pages that nobody can find again, with or without the reserve of the urgent ones. */
int fault_exhaust(struct fault_random *random)
{
	const gfp_t flags = fault_below(random, 2) ? GFP_KERNEL : GFP_ATOMIC;

	fault_announce("target=%s", flags == GFP_KERNEL ? "kernel" : "atomic");
	while (alloc_pages(flags | __GFP_NOWARN, 0))
		;
	return 0;
}
