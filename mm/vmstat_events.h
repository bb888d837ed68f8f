/*
 * vmstat_events.h - what mm/vmstat.h counts, for struct hart, which has a counter for each.
 */
#ifndef RAVEL_MM_VMSTAT_EVENTS_H
#define RAVEL_MM_VMSTAT_EVENTS_H

#define VMSTAT_EVENTS(X)                                                                           \
	X(pgfault)		/* every fault served or refused */                                \
	X(pgmajfault)		/* ... that had to wait for a disk */                              \
	X(fault_zero_page)	/* anonymous read: the shared zero page */                         \
	X(fault_demand_zero)	/* anonymous write: a fresh zeroed page */                         \
	X(fault_file_read)	/* page cache page mapped read-only */                             \
	X(fault_file_around)	/* ... and its cached neighbours, a page each */                   \
	X(fault_file_cow)	/* private write to a file page: copied at once */                 \
	X(fault_shared_write)	/* write to a shared page: made writable, and dirty */             \
	X(fault_cow_copy)	/* write to a shared anonymous page: copied */                     \
	X(fault_cow_reuse)	/* ... by its last owner: made writable */                         \
	X(fault_swap_in)	/* a swap entry without a page: read, then started over */         \
	X(fault_swap_cache)	/* ... its page mapped, from the swap cache */                     \
	X(fault_stack_grow)	/* the stack area extended */                                      \
	X(fault_spurious)	/* the PTE already allowed it */                                   \
	X(fault_access_bits)	/* A or D set by software */                                       \
	X(fault_sigsegv_maperr) /* no area */                                                      \
	X(fault_sigsegv_accerr) /* the area forbids it */                                          \
	X(fault_sigbus)		/* past the end of the file, or I/O error */                       \
	X(fault_oom)		/* no memory */                                                    \
	X(fault_io_retry)	/* mmap_lock dropped for I/O, then started over */                 \
	X(fault_raced)		/* the PTE changed while a page was prepared */                    \
	X(fault_kernel_fixup)	/* bad user pointer given to a system call */                      \
	X(pgalloc)                                                                                 \
	X(pgfree)                                                                                  \
	X(pcp_refill)                                                                              \
	X(pcp_drain)                                                                               \
	X(buddy_split)                                                                             \
	X(buddy_merge)                                                                             \
	X(alloc_fail)                                                                              \
	X(alloc_fail_injected)                                                                     \
	X(pgtable_alloc)                                                                           \
	X(pgtable_free)                                                                            \
	X(pgtable_reclaimed) /* ... of them, those without an entry, when memory was short */      \
	X(kstack_grow)	     /* pages mapped below a kernel stack that was full */                 \
	X(kstack_stale)	     /* a mapped one was thought to miss: flushed */                       \
	X(tlb_flush_local)                                                                         \
	X(tlb_flush_remote)                                                                        \
	X(icache_flush)                                                                            \
	X(cache_hit)                                                                               \
	X(cache_miss)                                                                              \
	X(readahead_pages)  /* read before somebody asked */                                       \
	X(readahead_hit)    /* ... and used then: read, or mapped */                               \
	X(readahead_unused) /* ... or gone from the cache, and never used */                       \
	X(readahead_async)  /* windows that were begun before the one before was used up */        \
	X(cache_reclaimed)                                                                         \
	X(pgscan_kswapd)  /* pages that reclaim looked at: the thread */                           \
	X(pgscan_direct)  /* ... who needed a page himself */                                      \
	X(pgsteal_kswapd) /* pages that it freed */                                                \
	X(pgsteal_direct)                                                                          \
	X(pgsteal_anon) /* the same by kind */                                                     \
	X(pgsteal_file)                                                                            \
	X(pgactivate)	   /* from an inactive list to the active one */                           \
	X(pgdeactivate)	   /* and back */                                                          \
	X(pgreclaim_write) /* dirty pages of files that it had written */                          \
	X(kswapd_wake)                                                                             \
	X(allocstall)		   /* allocations that had to reclaim themselves, each try */      \
	X(workingset_refault_anon) /* pages that came back soon after they went */                 \
	X(workingset_refault_file)                                                                 \
	X(workingset_distance_anon) /* ... their distances: pages of the kind that went since */   \
	X(workingset_distance_file)                                                                \
	X(workingset_activate_anon) /* ... so soon that they are spared another round */           \
	X(workingset_activate_file)                                                                \
	X(pgwriteback) /* pages handed to the disk */                                              \
	X(pswpin)      /* pages read from swap areas, neighbours too */                            \
	X(pswpout)     /* pages written to them */                                                 \
	X(swap_read_requests)                                                                      \
	X(swap_write_requests)                                                                     \
	X(swap_read_failed) /* pages */                                                            \
	X(swap_write_failed)                                                                       \
	X(vma_split)                                                                               \
	X(vma_merge)                                                                               \
	X(exit_freed_anon)   /* frames that ends of address spaces (exit, exec) gave back */       \
	X(exit_freed_file)   /* ... of files that have gone */                                     \
	X(exit_freed_tables) /* ... page tables, the roots too */                                  \
	X(exit_kept_anon)    /* unmapped by them, but relatives have it */                         \
	X(exit_kept_file)    /* ... the page cache has it */                                       \
	X(oom_kill)                                                                                \
	X(oom_reaped) /* pages taken from victims that had not ended */                            \
	X(syscall_unknown)

enum vmstat_event {
#define X(name) VM_##name,
	VMSTAT_EVENTS(X)
#undef X
		NR_VMSTAT
};

/*
 * PTEs that map a frame which another PTE maps already: what the sums of rss count too often. So
 * nothing is counted where a frame has one PTE.
 */
enum vm_gauge { GAUGE_SHARED_ANON, GAUGE_SHARED_FILE, NR_VM_GAUGES };

#endif
