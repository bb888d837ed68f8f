/*
 * true.c - do nothing, successfully.
 *
 * Invariants: none.  Locks: none.
 */
int main(void)
{
	return 0;
}
