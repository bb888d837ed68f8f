/*
 * virtio_mmio.h - virtio devices in memory-mapped slots, and their queues. drivers/virtio_mmio.c
 *
 * Modern devices only (register layout version 2). Source: OASIS virtio 1.1, sections 2 and 4.2.
 */
#ifndef RAVEL_DRIVERS_VIRTIO_MMIO_H
#define RAVEL_DRIVERS_VIRTIO_MMIO_H

#include "lib/types.h"

#define VIRTIO_ID_BLOCK 2

#define VIRTIO_QUEUE_MAX 128 /* descriptors at most, whatever the device can do */

struct virtio_device {
	volatile u8 *regs; /* kernel address */
	unsigned slot, irq;
	u32 device_id;
	u64 features; /* what was agreed on */
};

struct vring; /* what the device sees of a queue */

struct virtqueue {
	struct virtio_device *vdev;
	unsigned index, size; /* size: descriptors, a power of two */
	unsigned nr_free;
	u16 free_head, avail_idx, last_used;
	struct vring *ring;
	/* Ours alone, so that a device cannot lead us astray. */
	u16 next[VIRTIO_QUEUE_MAX];	 /* how a chain, or the free list, goes on */
	u16 chain_len[VIRTIO_QUEUE_MAX]; /* of the request whose head this is; 0: none */
	void *cookie[VIRTIO_QUEUE_MAX];	 /* ... and its owner's name for it */
};

/* One piece of a request: kernel address in the direct map, bytes. */
struct vq_piece {
	const void *addr;
	u32 len;
	bool device_writes;
};

/* Boot: finds the devices in the machine's slots and starts their drivers. */
void virtio_init(void);

/*
 * Resets @vdev and agrees on VIRTIO_F_VERSION_1 and whatever of @wanted is offered; 0, or -EIO when
 * the device refuses, and then it is marked FAILED.
 */
int virtio_negotiate(struct virtio_device *vdev, u64 wanted);
/* Queue @index of @vdev, empty and ready; -ENODEV, -ENOMEM. */
int virtqueue_init(struct virtqueue *vq, struct virtio_device *vdev, unsigned index);
/* Frees the queue's memory; after virtio_reset(), else the device still uses it. */
void virtqueue_destroy(struct virtqueue *vq);
/* Interrupts of @vdev go to @fn(@arg), and the device may start; -errno of irq_register(). */
int virtio_start(struct virtio_device *vdev, void (*fn)(void *arg), void *arg);
/* The device stops all that it does, until virtio_negotiate(); true when it said so. */
bool virtio_reset(struct virtio_device *vdev);

bool virtio_has(const struct virtio_device *vdev, unsigned feature_bit);
/* 32 bits of the device's own configuration, at byte @offset; and 64, read consistently. */
u32 virtio_config32(struct virtio_device *vdev, unsigned offset);
u64 virtio_config64(struct virtio_device *vdev, unsigned offset);
/* Acknowledges an interrupt; false when the device says that it needs a reset. */
bool virtio_ack_irq(struct virtio_device *vdev);

/*
 * The queue; the caller has one lock for each. add: makes a request of @n pieces known to the
 * device, which may start at once; false when descriptors are short. @cookie is not NULL.
 */
bool virtqueue_add(struct virtqueue *vq, const struct vq_piece *pieces, unsigned n, void *cookie);
/* Tells the device to look at its queue. */
void virtqueue_kick(struct virtqueue *vq);
/* The next finished request's cookie; NULL: none; ERR_PTR(-EIO): the device broke the rules. */
void *virtqueue_get(struct virtqueue *vq);
/* After a reset: takes back one unfinished request; NULL: none is left. */
void *virtqueue_take_back(struct virtqueue *vq);

/* drivers/virtio_blk.c: takes @vdev over as a disk; 0, or -errno and the device is at rest. */
int virtio_blk_probe(struct virtio_device *vdev);

#endif
