/*
 * virtio_mmio.c - virtio devices in memory-mapped slots, and the split virtqueue.
 *
 *	driver                               struct vring (one page)                     device
 *	virtqueue_add() --> desc[]   head -> next -> next     pieces of memory           reads
 *	                --> avail    ring of heads, idx       "these are for you"        reads
 *	virtqueue_get() <-- used     ring of heads, idx       "these are done"           writes
 *
 * Both idx run freely modulo 65536; a ring slot is idx % size.
 *
 * Invariants: descriptors are in exactly one place: the free list (nr_free of them, by next[] from
 * free_head) or the chain of one request under way, whose head has chain_len and cookie set. The
 * device's writes (used ring) are checked against these, never trusted.
 * Memory order: descriptors before avail.idx before the doorbell; used.idx before used.ring.
 * Locks: none here; each queue belongs to its driver's lock.
 * Source: OASIS virtio 1.1, sections 2.6 "Split Virtqueues" and 4.2 "Virtio Over MMIO".
 */
#include "drivers/virtio_mmio.h"

#include "arch/riscv/machine.h"
#include "arch/riscv/mmu.h"
#include "drivers/plic.h"
#include "kernel/printk.h"
#include "lib/atomic.h"
#include "lib/err.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "mm/slab.h"

#define REG_MAGIC	      0x000 /* "virt" */
#define REG_VERSION	      0x004
#define REG_DEVICE_ID	      0x008 /* 0: the slot is empty */
#define REG_DEVICE_FEATURES   0x010
#define REG_DEVICE_SEL	      0x014
#define REG_DRIVER_FEATURES   0x020
#define REG_DRIVER_SEL	      0x024
#define REG_QUEUE_SEL	      0x030
#define REG_QUEUE_NUM_MAX     0x034
#define REG_QUEUE_NUM	      0x038
#define REG_QUEUE_READY	      0x044
#define REG_QUEUE_NOTIFY      0x050
#define REG_INTERRUPT_STATUS  0x060
#define REG_INTERRUPT_ACK     0x064
#define REG_STATUS	      0x070
#define REG_QUEUE_DESC	      0x080 /* 64 bits, low half first; also the two below */
#define REG_QUEUE_DRIVER      0x090
#define REG_QUEUE_DEVICE      0x0a0
#define REG_CONFIG_GENERATION 0x0fc
#define REG_CONFIG	      0x100

#define VIRTIO_MAGIC   0x74726976
#define VIRTIO_VERSION 2

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER	   2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8
#define STATUS_NEEDS_RESET 64
#define STATUS_FAILED	   128

#define VIRTIO_F_VERSION_1 32

#define DESC_F_NEXT  1
#define DESC_F_WRITE 2

#define RESET_SPINS 1000000

struct vring {
	struct {
		u64 addr; /* physical */
		u32 len;
		u16 flags, next;
	} desc[VIRTIO_QUEUE_MAX];
	struct {
		u16 flags, idx;
		u16 ring[VIRTIO_QUEUE_MAX];
	} avail;
	struct {
		u16 flags, idx;
		struct {
			u32 id, len;
		} ring[VIRTIO_QUEUE_MAX];
	} used __attribute__((aligned(4)));
};

/* Register reads are ordered before, and writes after, all memory accesses around them. */
static u32 reg_read(struct virtio_device *vdev, unsigned reg)
{
	u32 val = *(volatile u32 *)(vdev->regs + reg);

	__asm__ volatile("fence i, rw" : : : "memory");
	return val;
}

static void reg_write(struct virtio_device *vdev, unsigned reg, u32 val)
{
	__asm__ volatile("fence rw, o" : : : "memory");
	*(volatile u32 *)(vdev->regs + reg) = val;
}

static void reg_write64(struct virtio_device *vdev, unsigned reg, u64 val)
{
	reg_write(vdev, reg, (u32)val);
	reg_write(vdev, reg + 4, (u32)(val >> 32));
}

static void add_status(struct virtio_device *vdev, u32 bits)
{
	reg_write(vdev, REG_STATUS, reg_read(vdev, REG_STATUS) | bits);
}

/* ---- the device ---- */

bool virtio_reset(struct virtio_device *vdev)
{
	reg_write(vdev, REG_STATUS, 0);
	for (unsigned i = 0; i < RESET_SPINS; i++) {
		if (reg_read(vdev, REG_STATUS) == 0)
			return true;
	}
	return false;
}

int virtio_negotiate(struct virtio_device *vdev, u64 wanted)
{
	u64 offered;

	if (!virtio_reset(vdev))
		goto fail;
	add_status(vdev, STATUS_ACKNOWLEDGE);
	add_status(vdev, STATUS_DRIVER);
	reg_write(vdev, REG_DEVICE_SEL, 0);
	offered = reg_read(vdev, REG_DEVICE_FEATURES);
	reg_write(vdev, REG_DEVICE_SEL, 1);
	offered |= (u64)reg_read(vdev, REG_DEVICE_FEATURES) << 32;
	if (!(offered & 1UL << VIRTIO_F_VERSION_1))
		goto fail;
	vdev->features = offered & (wanted | 1UL << VIRTIO_F_VERSION_1);
	reg_write(vdev, REG_DRIVER_SEL, 0);
	reg_write(vdev, REG_DRIVER_FEATURES, (u32)vdev->features);
	reg_write(vdev, REG_DRIVER_SEL, 1);
	reg_write(vdev, REG_DRIVER_FEATURES, (u32)(vdev->features >> 32));
	add_status(vdev, STATUS_FEATURES_OK);
	if (!(reg_read(vdev, REG_STATUS) & STATUS_FEATURES_OK))
		goto fail;
	return 0;
fail:
	add_status(vdev, STATUS_FAILED);
	return -EIO;
}

int virtio_start(struct virtio_device *vdev, void (*fn)(void *arg), void *arg)
{
	int err = irq_register(vdev->irq, fn, arg);

	if (!err)
		add_status(vdev, STATUS_DRIVER_OK);
	return err;
}

bool virtio_has(const struct virtio_device *vdev, unsigned feature_bit)
{
	return vdev->features >> feature_bit & 1;
}

u32 virtio_config32(struct virtio_device *vdev, unsigned offset)
{
	return reg_read(vdev, REG_CONFIG + offset);
}

u64 virtio_config64(struct virtio_device *vdev, unsigned offset)
{
	u32 before, low, high;

	do {
		before = reg_read(vdev, REG_CONFIG_GENERATION);
		low = virtio_config32(vdev, offset);
		high = virtio_config32(vdev, offset + 4);
	} while (reg_read(vdev, REG_CONFIG_GENERATION) != before);
	return (u64)high << 32 | low;
}

bool virtio_ack_irq(struct virtio_device *vdev)
{
	reg_write(vdev, REG_INTERRUPT_ACK, reg_read(vdev, REG_INTERRUPT_STATUS));
	return !(reg_read(vdev, REG_STATUS) & STATUS_NEEDS_RESET);
}

/* ---- queues ---- */

static void queue_reset_lists(struct virtqueue *vq)
{
	for (unsigned i = 0; i < vq->size; i++) {
		vq->next[i] = i + 1;
		vq->chain_len[i] = 0;
		vq->cookie[i] = NULL;
	}
	vq->free_head = 0;
	vq->nr_free = vq->size;
}

int virtqueue_init(struct virtqueue *vq, struct virtio_device *vdev, unsigned index)
{
	struct page *page;
	u32 max;

	BUILD_BUG_ON(sizeof(struct vring) > PAGE_SIZE);
	reg_write(vdev, REG_QUEUE_SEL, index);
	max = reg_read(vdev, REG_QUEUE_NUM_MAX);
	if (max == 0 || reg_read(vdev, REG_QUEUE_READY))
		return -ENODEV;
	page = alloc_page(GFP_KERNEL | GFP_ZERO);
	if (!page)
		return -ENOMEM;
	vq->vdev = vdev;
	vq->index = index;
	for (vq->size = VIRTIO_QUEUE_MAX; vq->size > max; vq->size /= 2)
		;
	vq->avail_idx = 0;
	vq->last_used = 0;
	vq->ring = page_address(page);
	queue_reset_lists(vq);
	reg_write(vdev, REG_QUEUE_NUM, vq->size);
	reg_write64(vdev, REG_QUEUE_DESC, virt_to_phys(&vq->ring->desc));
	reg_write64(vdev, REG_QUEUE_DRIVER, virt_to_phys(&vq->ring->avail));
	reg_write64(vdev, REG_QUEUE_DEVICE, virt_to_phys(&vq->ring->used));
	reg_write(vdev, REG_QUEUE_READY, 1);
	return 0;
}

void virtqueue_destroy(struct virtqueue *vq)
{
	free_pages(virt_to_page(vq->ring), 0);
}

bool virtqueue_add(struct virtqueue *vq, const struct vq_piece *pieces, unsigned n, void *cookie)
{
	struct vring *ring = vq->ring;
	u16 head = vq->free_head, i = head;

	if (n == 0 || vq->nr_free < n)
		return false;
	for (unsigned k = 0; k < n; k++) {
		bool last = k == n - 1;

		ring->desc[i].addr = virt_to_phys(pieces[k].addr);
		ring->desc[i].len = pieces[k].len;
		ring->desc[i].flags =
			(last ? 0 : DESC_F_NEXT) | (pieces[k].device_writes ? DESC_F_WRITE : 0);
		ring->desc[i].next = last ? 0 : vq->next[i];
		i = vq->next[i];
	}
	vq->free_head = i;
	vq->nr_free -= n;
	vq->chain_len[head] = n;
	vq->cookie[head] = cookie;
	ring->avail.ring[vq->avail_idx % vq->size] = head;
	/* Release: whoever sees the new index sees the slot and the descriptors. */
	smp_store_release(&ring->avail.idx, ++vq->avail_idx);
	return true;
}

void virtqueue_kick(struct virtqueue *vq)
{
	reg_write(vq->vdev, REG_QUEUE_NOTIFY, vq->index);
}

/* The request with head descriptor @head is over: its chain is free again. Returns the cookie. */
static void *release_chain(struct virtqueue *vq, u16 head)
{
	void *cookie = vq->cookie[head];
	u16 tail = head;

	for (unsigned k = 1; k < vq->chain_len[head]; k++)
		tail = vq->next[tail];
	vq->next[tail] = vq->free_head;
	vq->free_head = head;
	vq->nr_free += vq->chain_len[head];
	vq->chain_len[head] = 0;
	vq->cookie[head] = NULL;
	return cookie;
}

void *virtqueue_get(struct virtqueue *vq)
{
	/* Acquire: the slot is read after the index that covers it. */
	u16 used_idx = smp_load_acquire(&vq->ring->used.idx);
	u32 id;

	if (used_idx == vq->last_used)
		return NULL;
	id = READ_ONCE(vq->ring->used.ring[vq->last_used % vq->size].id);
	if (id >= vq->size || vq->chain_len[id] == 0)
		return ERR_PTR(-EIO);
	vq->last_used++;
	return release_chain(vq, id);
}

void *virtqueue_take_back(struct virtqueue *vq)
{
	for (unsigned i = 0; i < vq->size; i++) {
		if (vq->chain_len[i])
			return release_chain(vq, i);
	}
	return NULL;
}

/* ---- the slots ---- */

/* Starts a driver for the device of @slot, if there are both. */
static void probe_slot(unsigned slot)
{
	const struct machine_device *dev = &machine.virtio[slot];
	struct virtio_device found = { .slot = slot, .irq = dev->irq }, *vdev;
	u32 version;
	int err;

	found.regs = ioremap(dev->base, dev->size);
	if (!found.regs || reg_read(&found, REG_MAGIC) != VIRTIO_MAGIC)
		return;
	found.device_id = reg_read(&found, REG_DEVICE_ID);
	if (found.device_id == 0)
		return;
	version = reg_read(&found, REG_VERSION);
	if (version != VIRTIO_VERSION) {
		printk("virtio: slot %u: device %u has the old layout (version %u), not used: "
		       "start QEMU with -global virtio-mmio.force-legacy=false\n",
		       slot, found.device_id, version);
		return;
	}
	if (found.device_id != VIRTIO_ID_BLOCK) {
		pr_info("virtio: slot %u: no driver for device %u\n", slot, found.device_id);
		return;
	}
	vdev = kmalloc(sizeof(*vdev), GFP_KERNEL);
	if (!vdev)
		return;
	*vdev = found;
	err = virtio_blk_probe(vdev);
	if (err) {
		printk("virtio: slot %u: the disk cannot be used, error %d\n", slot, err);
		kfree(vdev);
	}
}

void virtio_init(void)
{
	for (unsigned slot = 0; slot < machine.nr_virtio; slot++)
		probe_slot(slot);
}
