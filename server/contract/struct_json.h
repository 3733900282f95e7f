#ifndef MSAB_CONTRACT_STRUCT_JSON_H_
#define MSAB_CONTRACT_STRUCT_JSON_H_

#include "server/contract/payload_sink.h"
#include "server/contract/violation.h"

namespace google::protobuf {
class Struct;
class Value;
}  // namespace google::protobuf

namespace msab {

// How deep objects and lists may be nested in a free-form payload.
inline constexpr int kMaxJsonDepth = 32;

// Write google.protobuf's free-form JSON, keys in ascending order so that equal payloads are equal
// texts. What can't be JSON (NaN, a value without a kind, bad UTF-8) is a violation at its path.
void WriteStruct(const google::protobuf::Struct& object, const JsonPath& at, PayloadSink& sink,
                 int depth = 1);
void WriteValue(const google::protobuf::Value& value, const JsonPath& at, PayloadSink& sink,
                int depth = 1);

}  // namespace msab

#endif  // MSAB_CONTRACT_STRUCT_JSON_H_
