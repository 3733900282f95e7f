#ifndef MSAB_SESSION_OPERATION_MEMORY_H_
#define MSAB_SESSION_OPERATION_MEMORY_H_

#include <array>
#include <cstddef>
#include <new>

namespace msab {

// Room for the state of one Asio operation, for an object that always has one under way: part of
// the object instead of a block of the heap's, which would come from a pool of larger ones. What
// doesn't fit, or comes while the room is taken, goes to the heap.
//
// Outlives its operations. One thread.
template <size_t kSize>
class OperationMemory {
 public:
  OperationMemory() = default;
  OperationMemory(const OperationMemory&) = delete;
  OperationMemory& operator=(const OperationMemory&) = delete;

  // An allocator of Asio's "associated allocator" (net::bind_allocator).
  template <typename T>
  class Allocator {
   public:
    using value_type = T;

    explicit Allocator(OperationMemory& memory) : memory_(&memory) {}
    template <typename U>
    // NOLINTNEXTLINE(google-explicit-constructor): Asio rebinds
    Allocator(const Allocator<U>& other) : memory_(other.memory_) {}

    T* allocate(size_t n) {
      static_assert(alignof(T) <= alignof(void*));
      return static_cast<T*>(memory_->Take(n * sizeof(T)));
    }
    void deallocate(T* block, size_t) { memory_->GiveBack(block); }

    template <typename U>
    bool operator==(const Allocator<U>& other) const {
      return memory_ == other.memory_;
    }

   private:
    template <typename U>
    friend class Allocator;

    OperationMemory* memory_;
  };
  Allocator<void> allocator() { return Allocator<void>(*this); }

 private:
  void* Take(size_t size) {
    if (taken_ || size > kSize) return ::operator new(size);
    taken_ = true;
    return bytes_.data();
  }
  void GiveBack(void* block) {
    if (block != bytes_.data()) return ::operator delete(block);
    taken_ = false;
  }

  alignas(void*) std::array<std::byte, kSize> bytes_;
  bool taken_ = false;
};

}  // namespace msab

#endif  // MSAB_SESSION_OPERATION_MEMORY_H_
