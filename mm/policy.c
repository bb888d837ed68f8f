/*
 * policy.c - the choice of the policy, and what all of them share: was a page used?
 *
 *	PTE.A      the hardware sets it when it walks the table for an access
 *	PG_REFERENCED   read(2) and the like, which use no PTE
 *
 * A is cleared without telling the harts, which would cost more than it is worth: a hart that has
 * the translation in its TLB does not walk, so its next accesses are not seen. It forgets at the
 * next switch of address spaces at the latest, and this hart at the end of each batch
 * (mm/reclaim.c); the worst is that a page goes which was used, and comes back.
 *
 * Locks: none; a policy is a word. What rmap_walk() takes, inside the page lock.
 */
#include "mm/policy.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/ghost.h"
#include "mm/rmap.h"
#include "mm/vmstat.h"

static const struct reclaim_policy *const policies[] = { &policy_two_list, &policy_clock,
							 &policy_fifo };
static const struct reclaim_policy *chosen = &policy_two_list;

const struct reclaim_policy *policy_now(void)
{
	return READ_ONCE(chosen);
}

const char *policy_name(unsigned i)
{
	return i < ARRAY_SIZE(policies) ? policies[i]->name : NULL;
}

int policy_choose(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(policies); i++) {
		if (strcmp(policies[i]->name, name) != 0)
			continue;
		WRITE_ONCE(chosen, policies[i]);
		/* Not all of them look at the active lists. */
		if (!policies[i]->balance)
			lru_deactivate_all();
		return 0;
	}
	return -EINVAL;
}

void policy_goes(const struct page *page)
{
	if (page->mapping) /* of a page that was read from a swap area for nobody it is not known */
		ghost_add(page);
}

#define COST_MAX 1024 /* then both are halved: what was long ago counts less and less */

static unsigned long cost[2]; /* of anonymous pages, of files'; a race loses one, which is little */

unsigned long policy_cost(bool file)
{
	return READ_ONCE(cost[file]);
}

static void count_cost(bool file)
{
	WRITE_ONCE(cost[file], cost[file] + 1);
	if (cost[file] <= COST_MAX)
		return;
	WRITE_ONCE(cost[0], cost[0] / 2);
	WRITE_ONCE(cost[1], cost[1] / 2);
}

u32 policy_returned(const struct page *page)
{
	bool file = page_is_file(page);
	const struct reclaim_policy *policy = policy_now();
	unsigned long distance;
	u32 flags = 0;

	if (!ghost_take(page, &distance))
		return 0;
	count_cost(file);
	count_vm(file ? VM_workingset_refault_file : VM_workingset_refault_anon);
	count_vm_n(file ? VM_workingset_distance_file : VM_workingset_distance_anon, distance);
	if (policy->returned)
		flags = policy->returned(file, distance);
	if (flags)
		count_vm(file ? VM_workingset_activate_file : VM_workingset_activate_anon);
	return flags;
}

static bool take_used(struct mm *mm __maybe_unused, unsigned long addr __maybe_unused, pte_t *ptep,
		      void *used)
{
	if (pte_read(ptep).val & PTE_A) {
		pte_clear_bits(ptep, PTE_A);
		*(bool *)used = true;
	}
	return true;
}

bool page_test_clear_used(struct page *page)
{
	bool used = page_flags(page) & PG_REFERENCED;
	const struct rmap_walk walk = { .visit = take_used, .arg = &used };

	if (used)
		page_clear_flags(page, PG_REFERENCED);
	if (atomic_read(&page->mapcount) > 0)
		rmap_walk(page, &walk);
	return used;
}
