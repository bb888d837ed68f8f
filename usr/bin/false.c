/*
 * false.c - do nothing, unsuccessfully.
 *
 * Invariants: none.  Locks: none.
 */
int main(void)
{
	return 1;
}
