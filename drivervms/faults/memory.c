// SPDX-License-Identifier: GPL-2.0-or-later
// Flipped bits: in code, data, stacks and page tables. Read-only memory is written through a second mapping of its page.
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/vmalloc.h>
#include <asm/tlbflush.h>

#include "fault.h"

/* Where a packet, a timer, an interrupt or a task switch comes along soon. */
static const char *const hot_functions[] = {
	"__schedule", "try_to_wake_up", "kmem_cache_alloc", "kmem_cache_free", "__netif_receive_skb_core", "ip_rcv", "tcp_v4_rcv",
	"tcp_rcv_established", "tcp_sendmsg_locked", "__tcp_transmit_skb", "__dev_queue_xmit", "net_rx_action", "napi_complete_done",
	"hrtimer_interrupt", "run_timer_softirq", "ktime_get", "__do_softirq", "handle_edge_irq", "do_syscall_64", "copy_page",
	"handle_mm_fault", "vfs_read", "vfs_write", "sock_recvmsg", "skb_copy_datagram_iter", "dma_map_page_attrs",
};
static const char *const modules[] = {"e1000e", "bridge", "virtio_net", "virtio_pci", "wdat_wdt"};

static int flip(struct page *page, unsigned int offset, unsigned int bit)
{
	u8 *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

	if (!alias)
		return -ENOMEM;
	alias[offset] ^= 1 << bit;
	vunmap(alias);
	return 0;
}

static int flip_at(struct fault_random *random, unsigned long address)
{
	const bool of_module = address >= MODULES_VADDR && address < MODULES_END;
	struct page *page = of_module || is_vmalloc_addr((void *)address) ? vmalloc_to_page((void *)address)
			  : address >= __START_KERNEL_map ? pfn_to_page(__pa_symbol(address) >> PAGE_SHIFT)
			  : virt_to_page((void *)address);

	return flip(page, offset_in_page(address), fault_below(random, 8));
}

static int flip_between(struct fault_random *random, unsigned long start, unsigned long end, unsigned int count)
{
	int error = 0;

	while (count-- && !error)
		error = flip_at(random, start + fault_below(random, end - start));
	return error;
}

int fault_text(struct fault_random *random)
{
	const unsigned long start = fault_symbol("_stext"), end = fault_symbol("_etext");
	const char *name = hot_functions[fault_below(random, ARRAY_SIZE(hot_functions))];
	const unsigned long hot = fault_symbol(name);
	const unsigned int count = 1 << fault_below(random, 7);

	if (fault_below(random, 2) && hot) {
		const unsigned long offset = fault_below(random, 128);

		fault_announce("target=%s+%lu bits=1", name, offset);
		return flip_at(random, hot + offset);
	}
	fault_announce("target=anywhere bits=%u", count);
	return flip_between(random, start, end, count);
}

int fault_module(struct fault_random *random)
{
	struct module *(*find)(const char *name) = (void *)fault_symbol("find_module");
	const char *name = modules[fault_below(random, ARRAY_SIZE(modules))];
	const unsigned int count = 1 << fault_below(random, 5);
	struct module *module;
	unsigned long text;

	if (!find)
		return -ENOENT;
	module = find(name);
	if (!module)
		return -ENOENT;
	text = (unsigned long)module->core_layout.base;
	fault_announce("target=%s bits=%u", name, count);
	return flip_between(random, text, text + module->core_layout.text_size, count);
}

/* Any page of RAM in every other case: the heap, page cache, the stacks and memory of processes. */
int fault_data(struct fault_random *random)
{
	const unsigned int count = 1 << fault_below(random, 9);
	unsigned int i;

	if (fault_below(random, 2)) {
		fault_announce("target=data bits=%u", count);
		return flip_between(random, fault_symbol("_sdata"), fault_symbol("__bss_stop"), count);
	}
	fault_announce("target=ram bits=%u", count);
	for (i = 0; i < count; i++) {
		const unsigned long pfn = fault_below(random, fault_pages());

		if (pfn_valid(pfn) && !PageReserved(pfn_to_page(pfn)))
			flip(pfn_to_page(pfn), fault_below(random, PAGE_SIZE), fault_below(random, 8));
	}
	return 0;
}

static struct task_struct *any_task(struct fault_random *random)
{
	struct task_struct *process, *task, *chosen = &init_task;
	unsigned int seen = 1;

	rcu_read_lock();
	for_each_process_thread(process, task)
		if (!fault_below(random, ++seen))
			chosen = task;
	get_task_struct(chosen);
	rcu_read_unlock();
	return chosen;
}

/* The part in use: from the task's stack pointer up. */
int fault_stack(struct fault_random *random)
{
	struct task_struct *task = any_task(random);
	const unsigned int count = 1 << fault_below(random, 6);
	const unsigned long top = (unsigned long)task_stack_page(task) + THREAD_SIZE;
	const unsigned long bottom = task == current ? (unsigned long)__builtin_frame_address(0) : READ_ONCE(task->thread.sp);

	fault_announce("target=%s bits=%u", task->comm, count);
	return bottom < top ? flip_between(random, bottom, top, count) : -EAGAIN;
}

/* Kernel code, the direct map, module space or the current process. */
static unsigned long any_address(struct fault_random *random)
{
	switch (fault_below(random, 4)) {
	case 0:
		return fault_symbol("_stext") + fault_below(random, fault_symbol("__bss_stop") - fault_symbol("_stext"));
	case 1:
		return (unsigned long)__va(fault_below(random, fault_pages()) << PAGE_SHIFT);
	case 2:
		return (unsigned long)THIS_MODULE->core_layout.base + fault_below(random, THIS_MODULE->core_layout.size);
	default:
		return current->mm ? current->mm->start_code + fault_below(random, current->mm->end_code - current->mm->start_code) : 0;
	}
}

/* What the processor remembers hides nothing: global pages go too. */
static void forget_translations(void)
{
	const unsigned long cr4 = native_read_cr4();

	asm volatile("mov %0, %%cr4; mov %1, %%cr4" : : "r"(cr4 ^ X86_CR4_PGE), "r"(cr4) : "memory");
}

/* One bit of one entry on the way to an address, at a depth by chance; present entries only, and never one of a larger page's inside. */
int fault_pagetable(struct fault_random *random)
{
	const unsigned long address = any_address(random);
	const unsigned int depth = fault_below(random, 4), bit = fault_below(random, 64);
	u64 *table = __va(read_cr3_pa()), *entry = NULL;
	unsigned int level;

	for (level = 0; level <= depth; level++) {
		u64 *const here = &table[(address >> (39 - 9 * level)) & 511];

		if (!(*here & _PAGE_PRESENT))
			break;
		entry = here;
		if (level > 0 && (*here & _PAGE_PSE))
			break;
		table = __va(*here & PTE_PFN_MASK);
	}
	if (!entry)
		return -EAGAIN;
	fault_announce("target=%lx level=%u bit=%u", address, 4 - min(level, depth), bit);
	*entry ^= 1ull << bit;
	forget_translations();
	return 0;
}
