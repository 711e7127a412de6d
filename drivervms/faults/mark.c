// SPDX-License-Identifier: GPL-2.0-or-later
// A page that the host can find in physical memory: so it knows which memory is this VM's.
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/random.h>

#include "fault.h"

int fault_mark(void)
{
	u8 *page = (u8 *)get_zeroed_page(GFP_KERNEL);

	if (!page)
		return -ENOMEM;
	get_random_bytes(page, 16);
	pr_emerg("CM_FAULT mark address=0x%llx magic=%16phN\n", (u64)virt_to_phys(page), page);
	return 0;
}
