// The relay's settings for its allocator, jemalloc, which reads them before main. The environment's
// MALLOC_CONF beats them; `man jemalloc` has them all.

extern "C" {
// Memory in pages of 2 MiB where the system gives them (transparent_hugepage/enabled "madvise" or
// "always"). A growing log otherwise costs a page fault for every six events, which was a third of
// an EmitEvents' time, and a broadcast walks the memory of every connection there is.
extern const char* malloc_conf;  // jemalloc's name
const char* malloc_conf = "thp:always,metadata_thp:always";
}
