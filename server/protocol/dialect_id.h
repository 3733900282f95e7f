#ifndef MSAB_PROTOCOL_DIALECT_ID_H_
#define MSAB_PROTOCOL_DIALECT_ID_H_

#include <cstddef>
#include <cstdint>

namespace msab {

// The dialects of the wire; also an index (a shard frames an entry once for each).
enum class DialectId : uint8_t { kNative, kSocketIo };
inline constexpr size_t kDialects = 2;

}  // namespace msab

#endif  // MSAB_PROTOCOL_DIALECT_ID_H_
