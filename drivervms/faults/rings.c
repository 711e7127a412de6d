// SPDX-License-Identifier: GPL-2.0-or-later
// The queues of the VM's link to another one: whatever the other end and the hypervisor read there changes under their eyes.
#include <linux/delay.h>
#include <linux/pci.h>
#include <linux/virtio.h>
#include <linux/virtio_ring.h>

#include "fault.h"

static int is_virtio(struct device *device, void *unused)
{
	return !strncmp(dev_name(device), "virtio", 6);
}

static struct virtio_device *link_device(void)
{
	struct pci_dev *function = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(0x18, 0));
	struct device *device = function ? device_find_child(&function->dev, NULL, is_virtio) : NULL;

	return device ? dev_to_virtio(device) : NULL;
}

static u64 any_field(struct fault_random *random)
{
	switch (fault_below(random, 3)) {
	case 0:
		return fault_below(random, 1ull << 28); /* RAM of this VM and what is above it */
	case 1:
		return fault_below(random, 1024); /* lengths and indices */
	default:
		return fault_next(random);
	}
}

static void damage(struct fault_random *random, struct virtqueue *queue)
{
	const unsigned int size = virtqueue_get_vring_size(queue);
	struct vring_desc *descriptor = (struct vring_desc *)phys_to_virt(virtqueue_get_desc_addr(queue)) + fault_below(random, size);
	struct vring_avail *available = phys_to_virt(virtqueue_get_avail_addr(queue));
	struct vring_used *used = phys_to_virt(virtqueue_get_used_addr(queue));

	switch (fault_below(random, 7)) {
	case 0:
		descriptor->addr = any_field(random);
		break;
	case 1:
		descriptor->len = any_field(random);
		break;
	case 2:
		descriptor->flags = any_field(random);
		break;
	case 3:
		descriptor->next = any_field(random);
		break;
	case 4:
		available->ring[fault_below(random, size)] = any_field(random);
		break;
	case 5:
		available->idx += any_field(random);
		break;
	default:
		used->idx = any_field(random);
	}
}

int fault_ring(struct fault_random *random)
{
	struct virtio_device *device = link_device();
	const unsigned int writes = 1 << fault_below(random, 12);
	struct virtqueue *queue;
	unsigned int i;

	if (!device)
		return -ENODEV;
	fault_announce("target=%s writes=%u", dev_name(&device->dev), writes);
	for (i = 0; i < writes; i++) {
		list_for_each_entry(queue, &device->vqs, list) {
			damage(random, queue);
			virtqueue_notify(queue);
		}
		if (i % 64 == 63)
			msleep(10);
	}
	return 0;
}
