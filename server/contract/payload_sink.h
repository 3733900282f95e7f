#ifndef MSAB_CONTRACT_PAYLOAD_SINK_H_
#define MSAB_CONTRACT_PAYLOAD_SINK_H_

#include <cstddef>
#include <string>

#include "server/contract/violation.h"

namespace msab {

// The largest payload, as JSON text.
inline constexpr size_t kMaxPayloadBytes = size_t{64} * 1024;

// Where a payload is written to and complained about, in one pass over it. Lives on the stack.
struct PayloadSink {
  std::string* text;
  Violations* violations;
  bool too_large = false;  // set, and writing given up, once the text passes kMaxPayloadBytes

  // True once there is no use in writing on.
  bool Full() {
    too_large = too_large || text->size() > kMaxPayloadBytes;
    return too_large;
  }
};

}  // namespace msab

#endif  // MSAB_CONTRACT_PAYLOAD_SINK_H_
