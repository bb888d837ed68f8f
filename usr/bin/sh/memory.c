/*
 * memory.c - arenas and growing strings; see memory.h.
 *
 * Invariants: chunk->used <= chunk->size; the newest chunk is the only one with room that is used.
 * Locks: none.
 */
#include "usr/bin/sh/memory.h"

#include <stdalign.h>
#include <string.h>
#include <stdlib.h>

#include "usr/lib/tool.h"

#define CHUNK_BYTES 1024

struct arena_chunk {
	struct arena_chunk *older;
	size_t used;
	size_t size;
	alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *arena, size_t bytes)
{
	struct arena_chunk *chunk = arena->newest;
	void *memory;

	bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!chunk || chunk->size - chunk->used < bytes) {
		size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;

		chunk = xmalloc(sizeof(*chunk) + size);
		chunk->older = arena->newest;
		chunk->used = 0;
		chunk->size = size;
		arena->newest = chunk;
	}
	memory = chunk->bytes + chunk->used;
	chunk->used += bytes;
	return memset(memory, 0, bytes);
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
	return memcpy(arena_alloc(arena, length + 1), text, length);
}

void arena_free(struct arena *arena)
{
	struct arena_chunk *chunk = arena->newest;

	arena->newest = NULL;
	while (chunk) {
		struct arena_chunk *older = chunk->older;

		free(chunk);
		chunk = older;
	}
}

struct arena *arena_new(void)
{
	struct arena *arena = xmalloc(sizeof(*arena));

	*arena = (struct arena){ .users = 1 };
	return arena;
}

struct arena *arena_get(struct arena *arena)
{
	arena->users++;
	return arena;
}

void arena_put(struct arena *arena)
{
	if (--arena->users > 0)
		return;
	arena_free(arena);
	free(arena);
}

struct strbuf strbuf_in(struct arena *arena)
{
	struct strbuf buf = { .arena = arena, .size = 32 };

	buf.text = arena_alloc(arena, buf.size);
	return buf;
}

void strbuf_add(struct strbuf *buf, const char *text, size_t length)
{
	if (buf->size - buf->length <= length) {
		char *old = buf->text;

		buf->size = 2 * buf->size + length;
		buf->text = arena_alloc(buf->arena, buf->size);
		memcpy(buf->text, old, buf->length);
	}
	memcpy(buf->text + buf->length, text, length);
	buf->length += length;
	buf->text[buf->length] = '\0';
}

void strbuf_add_char(struct strbuf *buf, char c)
{
	strbuf_add(buf, &c, 1);
}
