// SPDX-License-Identifier: GPL-2.0-or-later
// The NIC (Intel 82574, [82574 10.2]) told to read and write memory that is not its VM's, and to send interrupts that are not.
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/pci.h>

#include "fault.h"

enum {
	ICS = 0xc8, /* sets interrupt causes */
	RDBAL = 0x2800, RDBAH = 0x2804, RDT = 0x2818,
	TDBAL = 0x3800, TDBAH = 0x3804, TDT = 0x3818,
	ring_entries = 64,
};

static struct pci_dev *nic(void)
{
	return pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(3, 0));
}

/* RAM of the whole machine, what lies at its end, and anything else. */
static u64 any_bus_address(struct fault_random *random)
{
	switch (fault_below(random, 4)) {
	case 0:
		return 0xfe000000 + fault_below(random, 0x02000000);
	case 1:
		return fault_next(random);
	default:
		return fault_below(random, 2ull << 30);
	}
}

/* Legacy descriptors, receive and transmit alike begin with the address; a transmit one has its length and command after it. */
static void fill_ring(struct fault_random *random, u64 *ring)
{
	int i;

	for (i = 0; i < ring_entries; i++) {
		ring[2 * i] = any_bus_address(random);
		ring[2 * i + 1] = 0x0b000000 | (60 + fault_below(random, 1400)); /* RS, IFCS, EOP */
	}
}

static void set_ring(void __iomem *registers, unsigned int low, unsigned int high, unsigned int tail, u64 address)
{
	iowrite32(lower_32_bits(address), registers + low);
	iowrite32(upper_32_bits(address), registers + high);
	iowrite32(ring_entries - 1, registers + tail);
}

/* Own rings full of others' addresses, or rings that are at others' addresses. */
int fault_dma(struct fault_random *random)
{
	struct pci_dev *device = nic();
	void __iomem *registers = device ? pci_iomap(device, 0, 0) : NULL;
	u64 *rings = (u64 *)get_zeroed_page(GFP_KERNEL);
	const bool own = fault_below(random, 4);
	int round;

	if (!registers || !rings)
		return -ENODEV;
	fault_announce("target=%s", own ? "buffers" : "rings");
	for (round = 0; round < 16; round++) {
		fill_ring(random, rings);
		fill_ring(random, rings + 256);
		set_ring(registers, RDBAL, RDBAH, RDT, own ? virt_to_phys(rings) : any_bus_address(random) & ~15ull);
		set_ring(registers, TDBAL, TDBAH, TDT, own ? virt_to_phys(rings + 256) : any_bus_address(random) & ~15ull);
		msleep(100);
	}
	return 0;
}

int fault_msi(struct fault_random *random)
{
	struct pci_dev *device = nic();
	void __iomem *registers = device ? pci_iomap(device, 0, 0) : NULL;
	void __iomem *table = device ? pci_iomap(device, 3, 0) : NULL;
	int round, entry;

	if (!registers || !table)
		return -ENODEV;
	fault_announce("target=msix-table");
	for (round = 0; round < 64; round++) {
		for (entry = 0; entry < 5; entry++) {
			const u64 address = fault_below(random, 4) ? 0xfee00000 + fault_below(random, 0x100000) : any_bus_address(random);

			iowrite32(lower_32_bits(address), table + 16 * entry);
			iowrite32(upper_32_bits(address), table + 16 * entry + 4);
			iowrite32(fault_next(random), table + 16 * entry + 8);
			iowrite32(0, table + 16 * entry + 12);
		}
		iowrite32(fault_next(random) | 0x01f00000, registers + ICS);
		msleep(10);
	}
	return 0;
}
