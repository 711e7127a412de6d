// SPDX-License-Identifier: GPL-2.0-or-later
// cm_fault: damages the kernel that it is loaded into, on purpose: for tests of what the hypervisor contains, and for nothing else.
//   echo "NUMBER CLASS SEED" > /sys/module/cm_fault/parameters/inject
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/string.h>

#include "fault.h"

static unsigned int current_number;
static const char *current_class = "none";

u64 fault_next(struct fault_random *random)
{
	u64 z = random->state += 0x9E3779B97F4A7C15ull;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return z ^ (z >> 31);
}

u64 fault_below(struct fault_random *random, u64 bound)
{
	return bound ? fault_next(random) % bound : 0;
}

/* Not exported for long; a probe is told where a symbol is. */
static unsigned long address_by_probe(const char *name)
{
	struct kprobe probe = {.symbol_name = name};
	unsigned long address;

	if (register_kprobe(&probe))
		return 0;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	return address;
}

static unsigned long (*lookup_name)(const char *name);
static int (*lookup_size_offset)(unsigned long address, unsigned long *size, unsigned long *offset);

unsigned long fault_symbol(const char *name)
{
	return lookup_name(name);
}

unsigned long fault_function_at(unsigned long address)
{
	unsigned long size, offset;

	return lookup_size_offset(address, &size, &offset) ? address - offset : 0;
}

unsigned long fault_pages(void)
{
	return *(unsigned long *)fault_symbol("max_pfn");
}

void fault_announce(const char *format, ...)
{
	struct va_format text;
	va_list arguments;

	va_start(arguments, format);
	text.fmt = format;
	text.va = &arguments;
	pr_emerg("CM_FAULT inject number=%u class=%s %pV\n", current_number, current_class, &text);
	va_end(arguments);
}

static const struct {
	const char *name;
	int (*run)(struct fault_random *random);
} classes[] = {
	{"text", fault_text},	{"module", fault_module}, {"data", fault_data},	    {"stack", fault_stack},
	{"pagetable", fault_pagetable}, {"call", fault_call}, {"ring", fault_ring}, {"dma", fault_dma},
	{"msi", fault_msi},	{"spin", fault_spin},	  {"exhaust", fault_exhaust},
};

static int inject(const char *text, const struct kernel_param *parameter)
{
	struct fault_random random;
	char name[16];
	int i;

	if (sscanf(text, "%u %15s %llu", &current_number, name, &random.state) != 3)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		if (strcmp(classes[i].name, name))
			continue;
		current_class = classes[i].name;
		return classes[i].run(&random);
	}
	return -EINVAL;
}

static const struct kernel_param_ops operations = {.set = inject};
module_param_cb(inject, &operations, NULL, 0200);

static int __init start(void)
{
	lookup_name = (void *)address_by_probe("kallsyms_lookup_name");
	if (!lookup_name)
		return -ENOENT;
	lookup_size_offset = (void *)lookup_name("kallsyms_lookup_size_offset");
	return lookup_size_offset ? fault_mark() : -ENOENT;
}
module_init(start);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Faults for tests of Casemate");
