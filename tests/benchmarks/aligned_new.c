// Arrays of C++ `new` begin at a cache line. Preloaded on both sides of a comparison.
//
// ggml's CPU backend takes its work buffer from `new uint8_t[]`, which glibc aligns to 16 bytes. Whether the address
// happens to be a multiple of 32 decides 8 % of the prompt's speed and 3 % of decoding, and differs from program to
// program, so that two equal loops would seem unequal.
#include <stdlib.h>

enum { CACHE_LINE = 64 };

// operator new[](unsigned long); operator delete[] ends in free().
void *_Znam(size_t size) {
    void *memory = aligned_alloc(CACHE_LINE, size);
    if (!memory) abort();
    return memory;
}
