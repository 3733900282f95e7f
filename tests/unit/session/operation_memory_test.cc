#include "server/session/operation_memory.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace msab {
namespace {

using Memory = OperationMemory<64>;
using Bytes = Memory::Allocator<std::byte>;

bool IsInside(const Memory& memory, const std::byte* block) {
  const auto* begin = reinterpret_cast<const std::byte*>(&memory);
  return block >= begin && block < begin + sizeof(memory);
}

TEST(OperationMemory, HoldsOneOperationAtATime) {
  Memory memory;
  Bytes bytes(memory);
  std::byte* const first = bytes.allocate(64);
  EXPECT_TRUE(IsInside(memory, first));
  std::byte* const second = bytes.allocate(64);
  EXPECT_FALSE(IsInside(memory, second));
  // What the heap gave leaves the room taken.
  bytes.deallocate(second, 64);
  std::byte* const third = bytes.allocate(1);
  EXPECT_FALSE(IsInside(memory, third));
  bytes.deallocate(third, 1);

  bytes.deallocate(first, 64);
  std::byte* const again = bytes.allocate(1);
  EXPECT_TRUE(IsInside(memory, again));
  bytes.deallocate(again, 1);
}

TEST(OperationMemory, LeavesWhatIsTooLargeToTheHeap) {
  Memory memory;
  Bytes bytes(memory);
  std::byte* const large = bytes.allocate(65);
  EXPECT_FALSE(IsInside(memory, large));
  std::byte* const fits = bytes.allocate(64);
  EXPECT_TRUE(IsInside(memory, fits));
  bytes.deallocate(fits, 64);
  bytes.deallocate(large, 65);
}

TEST(OperationMemory, IsSharedByAllocatorsOfAnyType) {
  Memory memory;
  Memory other;
  const Memory::Allocator<void*> pointers(memory.allocator());
  EXPECT_TRUE(pointers == Bytes(memory));
  EXPECT_FALSE(pointers == Bytes(other));
}

}  // namespace
}  // namespace msab
